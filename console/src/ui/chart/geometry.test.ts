import { expect, test } from "vitest";
import { barsPath, columnsOf, geometryOf, labelled, linePath, seriesAt } from "./geometry";
import type { Series } from "./series";
import { stacked } from "./stack";

const SERIES: readonly Series[] = [
  { id: "a", label: "a", shape: "bar", colour: 1, stack: "groups" },
  { id: "b", label: "b", shape: "bar", colour: 2, stack: "groups" },
];

const pointsOf = (...amounts: Record<string, string>[]) =>
  amounts.map((each, at) => ({
    id: String(at),
    label: "",
    tick: "",
    amounts: Object.fromEntries(
      Object.entries(each).map(([id, amount]) => [id, { amount, currency: "USD" }]),
    ),
  }));

const FRAME = { width: 220, height: 120, top: 10, bottom: 10, start: 10, end: 10 };
const geometry = geometryOf(FRAME, { ticks: [], domain: [-50, 50] }, 2);

test("amounts above zero are stacked upwards, those below it downwards", () => {
  const [a, b] = stacked(pointsOf({ a: "10", b: "20" }, { a: "-5", b: "30" }, { b: "1" }), SERIES);
  expect(a?.spans).toEqual([[0, 10], [0, -5], null]);
  expect(b?.spans).toEqual([
    [10, 30],
    [0, 30],
    [0, 1],
  ]);
});

test("a bar is found at its height in its point", () => {
  const drawn = stacked(pointsOf({ a: "10", b: "20" }, { a: "-5", b: "30" }), SERIES);
  const at = (point: number, value: number) =>
    seriesAt(drawn, geometry, point, geometry.height(value));
  expect([at(0, 5), at(0, 15), at(0, 40)]).toEqual(["a", "b", null]);
  expect([at(1, -2), at(1, 15), at(1, -20)]).toEqual(["a", "b", null]);
});

test("bars of one stack have one column, others stand side by side", () => {
  const drawn = stacked(pointsOf({ a: "10", b: "20" }), SERIES);
  expect(columnsOf(drawn, 100)).toEqual(new Map([["groups", [-22, 44]]]));
  const apart = drawn.map((each) => ({
    ...each,
    series: { id: each.series.id, label: "", shape: "bar", colour: 1 } as const,
  }));
  expect([...columnsOf(apart, 20).values()]).toEqual([
    [-6.4, 5.9],
    [0.5, 5.9],
  ]);
});

test("a line is interrupted where an amount is missing", () => {
  const three = geometryOf(FRAME, { ticks: [], domain: [0, 100] }, 4);
  expect(linePath(three, [[0, 0], null, [0, 100], [0, 50]])).toBe("M35 110M135 10L185 60");
  expect(barsPath(three, [-5, 10], [[0, 0], null, [0, 50]], () => true)).toBe("M130 60h10v50h-10z");
});

test("labels are at equal distances, and none is cut", () => {
  const many = geometryOf(FRAME, { ticks: [], domain: [0, 1] }, 20);
  expect(labelled(Array(20).fill(30), many, 220)).toEqual([0, 5, 10, 15]);
  expect(labelled(Array(20).fill(6), many, 220)).toHaveLength(10);
  expect(labelled([30, 90], geometry, 200)).toEqual([0]);
});
