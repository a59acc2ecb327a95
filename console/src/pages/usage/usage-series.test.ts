import { expect, test } from "vitest";
import { type GroupSeries, withLastPoints } from "./usage-series";

const series = (key: string | null, ...amounts: string[]): GroupSeries => ({
  group: key === "other" ? "OTHER" : key === null ? "NONE" : "VALUE",
  key: key === "other" ? null : key,
  label: "",
  points: amounts.map((amount) => ({ spend: { amount } })),
});

const kept = [series("a", "1", "2"), series(null, "3", "4"), series("other", "5", "6")];

const bucket = (amount: string) => ({ spend: { amount, currency: "USD" } });

test("the last points are replaced, and what is left of a bucket is Other", () => {
  const last = [series("a", "2.5")];
  expect(withLastPoints(kept, last, [bucket("9.500000001")], 1)).toEqual([
    series("a", "1", "2.5"),
    series(null, "3", "0"),
    series("other", "5", "7.000000001"),
  ]);
});

test("a new value without an Other series is loaded again", () => {
  const two = kept.slice(0, 2);
  expect(withLastPoints(two, [series("a", "1")], [bucket("1.5")], 1)).toBeNull();
  expect(withLastPoints(two, [series("a", "1")], [bucket("1")], 1)).toHaveLength(2);
});
