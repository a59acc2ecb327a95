import type { UsageQuery } from "../../api/generated/graphql";
import type { Load } from "../../api/use-load";
import { ChartCard } from "../../ui/chart/chart-card";
import type { Point, Series } from "../../ui/chart/series";
import { EmptyState } from "../../ui/states";
import { isZero } from "../../util/money";
import { text } from "../../util/text";
import { formatDay, formatTime } from "../../util/time";
import { bucketLabel, bucketTick } from "../bucket-label";
import { LoadFailed, StaleNotice } from "../stale-notice";
import { lengthOf, type UsageWindow } from "./usage-window";

export type UsageOf = NonNullable<UsageQuery["account"]>["usage"];
type Props = {
  usage: UsageOf | undefined;
  load: Load<UsageQuery>;
  window: UsageWindow;
  currency: string;
};

const t = text.usage;

const SERIES: readonly Series[] = [
  { id: "spend", label: t.spend, shape: "bar", colour: 1 },
  { id: "cumulative", label: t.cumulative, shape: "line", colour: 2, axis: "end" },
];

/** Spend in each bucket of the window, and what it grows to. */
export function SpendChart({ usage, load, window, currency }: Props) {
  const { failure, retry } = load;
  const isEmpty = usage?.buckets.every((each) => each.deployments === 0 && isZero(each.spend));
  return (
    <ChartCard
      title={t.chart}
      note={usage && !isEmpty && completeness(usage, window)}
      texts={text.chart}
      series={SERIES}
      points={usage && pointsOf(usage, window)}
      currency={currency}
      isBusy={load.loading}
      isOutdated={load.previous}
      above={failure && usage && <StaleNotice retry={retry} />}
      instead={
        failure && !usage ? (
          <LoadFailed failure={failure} retry={retry} />
        ) : isEmpty ? (
          <EmptyState title={t.empty} hint={t.emptyHint} />
        ) : undefined
      }
    />
  );
}

function completeness({ completeUntil, buckets }: UsageOf, { zone }: UsageWindow): string | null {
  const end = buckets.at(-1)?.end;
  if (!end || new Date(completeUntil) >= new Date(end)) return null;
  return t.completeUntil(`${formatDay(completeUntil, zone)}, ${formatTime(completeUntil, zone)}`);
}

function pointsOf({ buckets }: UsageOf, window: UsageWindow): Point[] {
  const { interval, zone } = window;
  const isLong = lengthOf(window) > 366;
  const now = new Date();
  return buckets.map((bucket) => ({
    id: bucket.start,
    label: bucketLabel(bucket, interval, zone),
    tick: bucketTick(bucket, interval, zone, isLong),
    amounts: {
      spend: bucket.spend,
      // The line ends where the days that have begun do.
      ...(new Date(bucket.start) <= now && { cumulative: bucket.cumulativeSpend }),
    },
    isPartial: bucket.partial,
  }));
}
