import { expect, test } from "vitest";
import { type GroupSeries, withLastPoints } from "./usage-series";

const series = (key: string | null, ...amounts: string[]): GroupSeries => ({
  group: key === "other" ? "OTHER" : key === null ? "NONE" : "VALUE",
  key: key === "other" ? null : key,
  label: "",
  points: amounts.map((amount) => ({ spend: { amount } })),
});

const kept = [series("a", "1", "2"), series(null, "3", "4"), series("other", "5", "6")];

test("the last points are replaced, and values without a series count as Other", () => {
  const last = [series("b", "7"), series("a", "2.5"), series("c", "0.000000001")];
  expect(withLastPoints(kept, last, 1, 1)).toEqual([
    series("a", "1", "2.5"),
    series(null, "3", "0"),
    series("other", "5", "7.000000001"),
  ]);
});

test("what cannot be assigned is loaded again", () => {
  expect(withLastPoints(kept, [series("other", "1")], 1, 1)).toBeNull();
  expect(withLastPoints(kept.slice(0, 2), [series("b", "1")], 1, 1)).toBeNull();
});
