// What new usage changes of the figures of a window: the totals, and the buckets not complete yet. Each
// is null where the rest has changed too, by usage that came late.

import {
  type BalanceCause,
  DailyUsageChangesDocument,
  type DailyUsageQuery,
  type DailyUsageQueryVariables,
  UsageChangesDocument,
  type UsageQuery,
  type UsageQueryVariables,
} from "../../api/generated/graphql";
import type { Ask } from "../../api/use-followed-load";
import { less } from "../../util/money";
import { dateIn } from "../../util/time";
import { tailOf, withTail } from "../shared/tail";

export const isUsage = (cause: BalanceCause) => cause === "USAGE";

export async function withUsageChanges(
  ask: Ask,
  { account }: UsageQuery,
  variables: UsageQueryVariables,
): Promise<UsageQuery | null> {
  const kept = account?.usage;
  const tail = kept && firstDayOf(kept.buckets, variables.timeZone);
  if (!kept || !tail) return null;
  const found = (await ask(UsageChangesDocument, { ...variables, tail }))?.account;
  if (!found) return null;
  const { tail: last, usage, ...rest } = found;
  const total = usage.summary.totalSpend;
  const joined = withTail(kept.buckets, last.buckets, total);
  if (!joined) return null;
  const end = joined.length - last.buckets.length;
  // Those of the end are cumulated from the end's own beginning.
  const buckets = joined.map((bucket, at) => {
    if (at < end) return bucket;
    const later = joined.slice(at + 1).map(({ spend }) => spend);
    return { ...bucket, cumulativeSpend: less(total, later) };
  });
  return { account: { ...rest, usage: { ...kept, ...usage, buckets } } };
}

export async function withDailyChanges(
  ask: Ask,
  { account }: DailyUsageQuery,
  variables: DailyUsageQueryVariables,
): Promise<DailyUsageQuery | null> {
  const kept = account?.usage;
  const tail = kept && firstDayOf(kept.buckets, variables.timeZone);
  if (!kept || !tail) return null;
  const found = (await ask(DailyUsageChangesDocument, { ...variables, tail }))?.account;
  if (!found) return null;
  const { tail: last, usage, ...rest } = found;
  const buckets = withTail(kept.buckets, last.buckets, usage.summary.totalSpend);
  return buckets && { account: { ...rest, usage: { ...kept, buckets } } };
}

type Bucket = { start: string; partial: boolean };

/** The day that the incomplete buckets begin with. */
function firstDayOf(buckets: readonly Bucket[], zone: string): string | null {
  const first = buckets[tailOf(buckets)];
  return first ? dateIn(zone, new Date(first.start)) : null;
}
