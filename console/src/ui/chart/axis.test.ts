import { describe, expect, test } from "vitest";
import { axisOf } from "./axis";
import { stacked } from "./stack";

const SERIES = [{ id: "spend", label: "Spend", shape: "bar", colour: 1 }] as const;

function axisFor(...spends: string[]) {
  const points = spends.map((amount, at) => ({
    id: String(at),
    label: "",
    tick: "",
    amounts: { spend: { amount, currency: "USD" } },
  }));
  return axisOf(stacked(points, SERIES), "USD");
}

describe("an axis", () => {
  test.each([
    [["0.3"], [0, 0.1, 0.2, 0.3]],
    [
      ["1", "97"],
      [0, 20, 40, 60, 80, 100],
    ],
    [["101"], [0, 50, 100, 150]],
    [["0.000000001"], [0, 2e-10, 4e-10, 6e-10, 8e-10, 1e-9]],
    // Corrections far below zero have ticks of their own.
    [
      ["-40", "60"],
      [-40, -20, 0, 20, 40, 60],
    ],
    // Without any amount there are steps of one.
    [[], [0, 1, 2, 3, 4, 5]],
  ])("%j has at most five steps of 1, 2 or 5", (spends, ticks) => {
    expect(axisFor(...spends).ticks.map(({ value }) => value)).toEqual(ticks);
  });

  test("slightly negative amounts extend it below its first tick", () => {
    const { ticks, domain } = axisFor("-2", "97");
    expect(ticks[0]?.value).toBe(0);
    expect(domain).toEqual([-2, 100]);
  });
});
