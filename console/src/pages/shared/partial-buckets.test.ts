import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { firstPartial, replaceLast } from "./partial-buckets";

beforeEach(() => vi.useFakeTimers({ now: new Date("2026-11-30T12:00:00Z") }));
afterEach(() => vi.useRealTimers());

const bucket = (day: number, spend: string, partial = false) => ({
  start: `2026-11-${day}T00:00:00Z`,
  partial,
  spend: { amount: spend, currency: "USD" },
});
const total = (amount: string) => ({ amount, currency: "USD" });

describe("the first bucket in progress", () => {
  test("it is the last that has started, if none before it is partial", () => {
    expect(firstPartial([bucket(28, "1"), bucket(29, "1"), bucket(30, "1", true)])).toBe(2);
    // The last one can still get usage, although its time is over.
    expect(firstPartial([bucket(27, "1"), bucket(28, "1")])).toBe(1);
  });

  test("partial ones before it belong to it", () => {
    const buckets = [bucket(28, "1"), bucket(29, "1", true), bucket(30, "1", true)];
    expect(firstPartial(buckets)).toBe(1);
  });

  test("buckets in the future do not count", () => {
    const future = { ...bucket(30, "0", true), start: "2026-12-01T00:00:00Z" };
    expect(firstPartial([bucket(29, "1"), bucket(30, "1", true), future])).toBe(1);
    expect(firstPartial([future])).toBe(0);
    expect(firstPartial([])).toBe(0);
  });
});

describe("replaced buckets", () => {
  const buckets = [bucket(28, "1"), bucket(29, "2"), bucket(30, "3", true)];

  test("they take the place of the last ones", () => {
    const last = [bucket(30, "3.000000001", true)];
    expect(replaceLast(buckets, last, total("6.000000001"))).toEqual([
      ...buckets.slice(0, 2),
      ...last,
    ]);
  });

  test("a total that the sum misses shows a change of an earlier bucket", () => {
    expect(replaceLast(buckets, [bucket(30, "3", true)], total("6.000000001"))).toBeNull();
  });

  test("buckets of another window do not fit", () => {
    expect(replaceLast(buckets, [bucket(29, "3")], total("6"))).toBeNull();
    expect(replaceLast([], buckets, total("6"))).toBeNull();
  });
});
