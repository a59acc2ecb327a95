import { describe, expect, test } from "vitest";
import { axesOf } from "./axis";
import type { Series } from "./series";

const SERIES: readonly Series[] = [
  { id: "spend", label: "Spend", shape: "bar", colour: 1 },
  { id: "total", label: "Total", shape: "line", colour: 2, axis: "end" },
];

const pointsOf = (...amounts: { spend?: string; total?: string }[]) =>
  amounts.map((each, at) => ({
    id: String(at),
    label: "",
    tick: "",
    amounts: Object.fromEntries(
      Object.entries(each).map(([id, amount]) => [id, { amount, currency: "USD" }]),
    ),
  }));

const startOf = (...spends: string[]) =>
  axesOf(pointsOf(...spends.map((spend) => ({ spend }))), SERIES, "USD").start;

describe("an axis", () => {
  test.each([
    [["0.3"], [0, 0.1, 0.2, 0.3, 0.4, 0.5]],
    [
      ["1", "97"],
      [0, 20, 40, 60, 80, 100],
    ],
    [["101"], [0, 50, 100, 150, 200, 250]],
    [["0.000000001"], [0, 2e-10, 4e-10, 6e-10, 8e-10, 1e-9]],
    // Corrections far below zero have ticks of their own.
    [
      ["-40", "60"],
      [-40, -20, 0, 20, 40, 60],
    ],
    // Without any amount there are steps of one.
    [[], [0, 1, 2, 3, 4, 5]],
  ])("%j has five steps of 1, 2 or 5", (spends, ticks) => {
    expect(startOf(...spends).ticks.map(({ value }) => value)).toEqual(ticks);
  });

  test("slightly negative amounts extend it below its first tick", () => {
    const { ticks, domain } = startOf("-2", "97");
    expect(ticks[0]?.value).toBe(0);
    expect(domain).toEqual([-2, 100]);
  });
});

test("both axes have their zeros at one height", () => {
  const { start, end } = axesOf(
    pointsOf({ spend: "-2", total: "1000" }, { spend: "97" }),
    SERIES,
    "USD",
  );
  const share = ([least, most]: [number, number]) => -least / (most - least);
  expect(share(start.domain)).toBeGreaterThan(0);
  expect(end && share(end.domain)).toBeCloseTo(share(start.domain));
});
