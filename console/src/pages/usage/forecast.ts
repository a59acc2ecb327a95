// The part of an estimate that is still to come, spread over the time that is left.

import { type Amount, fromNanos, subtract, toNanos } from "../../util/money";

type Bucket = { start: string; end: string };

/** An estimate of a window's spend, and the spend that is booked. */
type Estimate = { estimated: Amount; booked: Amount };

/**
 * Divide the cost that is not booked yet among the buckets, by their shares of the time from `now` to the
 * window's end. A bucket that is over has null; the parts add up to that cost.
 */
export function remaining(
  buckets: readonly Bucket[],
  { estimated, booked }: Estimate,
  now: Date,
): (Amount | null)[] {
  const rest = toNanos(subtract(estimated, [booked]).amount);
  const lefts = buckets.map(({ start, end }) => {
    const from = Math.max(now.getTime(), new Date(start).getTime());
    return BigInt(Math.max(0, new Date(end).getTime() - from));
  });
  const all = lefts.reduce((total, left) => total + left, 0n);
  let before = 0n;
  return lefts.map((left) => {
    if (left === 0n) return null;
    // From rounded sums, so that the parts' roundings do not add up.
    const part = (rest * (before + left)) / all - (rest * before) / all;
    before += left;
    return { ...estimated, amount: fromNanos(part) };
  });
}
