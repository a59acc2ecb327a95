// The last buckets of a series, which new usage changes. Usage that arrives late changes earlier buckets
// too: the sum of the buckets shows that.

import { type Amount, isZero, subtract } from "../../util/money";

type Bucket = { start: string; partial: boolean };

/** The index of the first bucket in progress; the last bucket that has started always counts as one. */
export function firstPartial(buckets: readonly Bucket[]): number {
  const now = new Date();
  let index = buckets.findLastIndex(({ start }) => new Date(start) <= now);
  while (index > 0 && buckets[index - 1]?.partial) index -= 1;
  return Math.max(0, index);
}

/** Buckets with the last ones replaced; null where these do not fit the others and the total. */
export function replaceLast<Of extends Bucket & { spend: Amount }>(
  buckets: readonly Of[],
  last: readonly Of[],
  total: Amount,
): Of[] | null {
  const at = buckets.length - last.length;
  if (at < 0 || buckets[at]?.start !== last[0]?.start) return null;
  const replaced = [...buckets.slice(0, at), ...last];
  const difference = subtract(
    total,
    replaced.map(({ spend }) => spend),
  );
  return isZero(difference) ? replaced : null;
}
