import { expect, test } from "vitest";
import { sum } from "../../util/money";
import { remaining } from "./forecast";

const usd = (amount: string) => ({ amount, currency: "USD" });
const bucket = (day: number) => ({
  start: `2026-11-${day}T00:00:00Z`,
  end: `2026-11-${day + 1}T00:00:00Z`,
});

test("what is not booked yet is spread over the time that is left", () => {
  const buckets = [bucket(10), bucket(11), bucket(12)];
  const now = new Date("2026-11-11T12:00:00Z");
  const parts = remaining(buckets, { estimated: usd("40"), booked: usd("10") }, now);
  expect(parts).toEqual([null, usd("10"), usd("20")]);
});

test("the parts add up to the nano", () => {
  const buckets = Array.from({ length: 7 }, (_, at) => bucket(11 + at));
  const now = new Date("2026-11-11T07:13:21Z");
  const parts = remaining(buckets, { estimated: usd("10.000000001"), booked: usd("3") }, now);
  const known = parts.filter((part) => part !== null);
  expect(sum(known, "USD")).toEqual(usd("7.000000001"));
});
