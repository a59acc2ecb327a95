// The part of a window that new usage changes: the totals, and the buckets in progress. The result is null
// where usage that arrived late has changed other buckets too.

import {
  type BalanceCause,
  DailyUsageChangesDocument,
  type DailyUsageQuery,
  type DailyUsageQueryVariables,
  UsageChangesDocument,
  type UsageQuery,
  type UsageQueryVariables,
} from "../../api/generated/graphql";
import type { SendQuery } from "../../api/use-live-load";
import { subtract } from "../../util/money";
import { dateIn } from "../../util/time";
import { firstPartial, replaceLast } from "../shared/partial-buckets";
import { filterTo } from "../shared/usage-filter";
import { withLastPoints } from "./usage-series";

export const isUsage = (cause: BalanceCause) => cause === "USAGE";

export async function withUsageChanges(
  send: SendQuery,
  { account }: UsageQuery,
  variables: UsageQueryVariables,
): Promise<UsageQuery | null> {
  const kept = account?.usage;
  const partialFrom = kept && firstPartialDay(kept.buckets, variables.timeZone);
  if (!kept || !partialFrom) return null;
  const { filter, by } = variables;
  const values = kept.series.filter(({ group }) => group !== "OTHER").map(({ key }) => key);
  const shown = filterTo(filter ?? null, by, values);
  const found = (await send(UsageChangesDocument, { ...variables, shown, partialFrom }))?.account;
  if (!found) return null;
  const { partial, shown: last, usage, ...rest } = found;
  const total = usage.summary.totalSpend;
  const joined = replaceLast(kept.buckets, partial.buckets, total);
  if (!joined) return null;
  const first = joined.length - partial.buckets.length;
  const series = withLastPoints(kept.series, last.series, partial.buckets, first);
  if (!series) return null;
  // The response's cumulative sums start at the first bucket in progress, not at the window's start.
  const buckets = joined.map((bucket, at) => {
    if (at < first) return bucket;
    const later = joined.slice(at + 1).map(({ spend }) => spend);
    return { ...bucket, cumulativeSpend: subtract(total, later) };
  });
  return { account: { ...account, ...rest, usage: { ...kept, ...usage, buckets, series } } };
}

export async function withDailyChanges(
  send: SendQuery,
  { account }: DailyUsageQuery,
  variables: DailyUsageQueryVariables,
): Promise<DailyUsageQuery | null> {
  const kept = account?.usage;
  const partialFrom = kept && firstPartialDay(kept.buckets, variables.timeZone);
  if (!kept || !partialFrom) return null;
  const found = (await send(DailyUsageChangesDocument, { ...variables, partialFrom }))?.account;
  if (!found) return null;
  const { partial, usage, ...rest } = found;
  const buckets = replaceLast(kept.buckets, partial.buckets, usage.summary.totalSpend);
  return buckets && { account: { ...rest, usage: { ...kept, buckets } } };
}

type Bucket = { start: string; partial: boolean };

/** The first day of the buckets in progress. */
function firstPartialDay(buckets: readonly Bucket[], zone: string): string | null {
  const first = buckets[firstPartial(buckets)];
  return first ? dateIn(zone, new Date(first.start)) : null;
}
