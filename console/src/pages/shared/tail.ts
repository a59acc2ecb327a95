// The end of a series of buckets: what new usage changes. What came late changes earlier ones, which
// their sums tell.

import { type Amount, isZero, less } from "../../util/money";

type Bucket = { start: string; partial: boolean };

/** Where the buckets begin that are not complete yet; the last that has begun is always one. */
export function tailOf(buckets: readonly Bucket[]): number {
  const now = new Date();
  let index = buckets.findLastIndex(({ start }) => new Date(start) <= now);
  while (index > 0 && buckets[index - 1]?.partial) index -= 1;
  return Math.max(0, index);
}

/** Buckets with their end read again; null where it does not fit the rest and the total. */
export function withTail<Of extends Bucket & { spend: Amount }>(
  kept: readonly Of[],
  tail: readonly Of[],
  total: Amount,
): Of[] | null {
  const at = kept.length - tail.length;
  if (at < 0 || kept[at]?.start !== tail[0]?.start) return null;
  const joined = [...kept.slice(0, at), ...tail];
  const rest = less(
    total,
    joined.map(({ spend }) => spend),
  );
  return isZero(rest) ? joined : null;
}
