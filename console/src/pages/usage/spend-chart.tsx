import { useMemo } from "react";
import type { UsageQuery } from "../../api/generated/graphql";
import type { Load } from "../../api/use-load";
import { shared } from "../../text/shared";
import { usage as t } from "../../text/usage";
import { ChartCard } from "../../ui/chart/chart-card";
import type { Point, Series } from "../../ui/chart/series";
import { Segments } from "../../ui/segments";
import { Sentence } from "../../ui/sentence";
import { Skeleton } from "../../ui/skeleton";
import { EmptyState } from "../../ui/states";
import { isZero } from "../../util/money";
import { formatDay, formatTime } from "../../util/time";
import { bucketLabel, bucketTick } from "../shared/bucket-label";
import { LoadFailed, StaleNotice } from "../shared/load-states";
import { show, useView } from "../shared/navigation";
import { CHART_VIEWS, type ChartView } from "../shared/view";
import { lengthOf } from "./usage-window";

type UsageOf = NonNullable<UsageQuery["account"]>["usage"];
type Props = { usage: UsageOf | undefined; load: Load<UsageQuery>; currency: string };

type Charts = Record<ChartView | "listed", readonly Series[]>;

function seriesOf(): Charts {
  const spend: Series = { id: "spend", label: t.spend, shape: "bar", colour: 1 };
  const cumulative: Series = { id: "cumulative", label: t.cumulative, shape: "line", colour: 2 };
  return { spend: [spend], cumulative: [cumulative], listed: [spend, cumulative] };
}

/** Spend in each bucket of the window, and its cumulative sum. */
export function SpendChart({ usage, load, currency }: Props) {
  const { failure, retry } = load;
  const view = useView().chart;
  const series = useMemo(seriesOf, []);
  const points = useMemo(() => usage && pointsOf(usage), [usage]);
  const isEmpty = usage?.buckets.every((each) => each.deployments === 0 && isZero(each.spend));
  return (
    <ChartCard
      title={t.chart}
      note={usage ? !isEmpty && <Completeness usage={usage} /> : !failure && <Skeleton />}
      texts={shared.chart}
      series={series[view]}
      listed={series.listed}
      actions={
        <Segments
          label={t.view}
          small
          options={CHART_VIEWS.map((id) => ({ id, label: t.views[id] }))}
          selected={view}
          onSelect={(next) => show({ chart: next })}
        />
      }
      points={points}
      currency={currency}
      isBusy={load.loading}
      isOutdated={load.previous}
      notice={failure && usage && <StaleNotice retry={retry} />}
      placeholder={
        failure && !usage ? (
          <LoadFailed failure={failure} retry={retry} />
        ) : isEmpty ? (
          <EmptyState title={t.empty} hint={t.emptyHint} />
        ) : undefined
      }
    />
  );
}

function Completeness({ usage: { completeUntil, buckets, timeZone } }: { usage: UsageOf }) {
  const end = buckets.at(-1)?.end;
  if (!end || new Date(completeUntil) >= new Date(end)) return null;
  const time = `${formatDay(completeUntil, timeZone)}, ${formatTime(completeUntil, timeZone)}`;
  return <Sentence>{t.completeUntil(time)}</Sentence>;
}

/** The labels are of the response's own window, which may still be the previous one. */
function pointsOf({ buckets, interval, timeZone, from, to }: UsageOf): Point[] {
  const isLong = lengthOf({ from, to }) > 366;
  const now = new Date();
  return buckets.map((bucket) => ({
    id: bucket.start,
    label: bucketLabel(bucket, interval, timeZone),
    tick: bucketTick(bucket, interval, timeZone, isLong),
    amounts: {
      spend: bucket.spend,
      // The line ends with the last bucket that has started.
      ...(new Date(bucket.start) <= now && { cumulative: bucket.cumulativeSpend }),
    },
    isPartial: bucket.partial,
  }));
}
