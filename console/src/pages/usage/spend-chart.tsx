import { useEffect, useMemo, useRef } from "react";
import type { UsageQuery } from "../../api/generated/graphql";
import type { Load } from "../../api/use-load";
import { shared } from "../../text/shared";
import { usage as t } from "../../text/usage";
import { ChartCard } from "../../ui/chart/chart-card";
import type { Choice } from "../../ui/chart/series";
import { Segments } from "../../ui/segments";
import { Sentence } from "../../ui/sentence";
import { Skeleton } from "../../ui/skeleton";
import { Toggle } from "../../ui/toggle";
import { formatDay, formatTime } from "../../util/time";
import { LoadFailed, StaleNotice } from "../shared/load-states";
import { show, useView } from "../shared/navigation";
import { CHART_VIEWS, type Dimension } from "../shared/view";
import { coloursOf, knownColours } from "./group-colours";
import { idOf, keyOf } from "./group-names";
import { NoUsage } from "./no-usage";
import { chartsOf, isEmpty, type Parts, pointsOf } from "./spend-points";
import type { UsageScope } from "./usage-scope";

type UsageOf = NonNullable<UsageQuery["account"]>["usage"];
type Props = { scope: UsageScope; load: Load<UsageQuery>; currency: string };

/** Spend in each bucket of the window by group, or its cumulative sum. */
export function SpendChart({ scope, load, currency }: Props) {
  const { failure, retry } = load;
  const view = useView();
  const account = load.data?.account;
  const usage = account?.usage;
  const previous = account?.previous;
  const by = useLoadedBy(scope.by, load);
  const charts = useCharts(scope.account, by, usage, {
    hasForecast: usage?.forecast.status === "ESTIMATED",
    hasPrevious: previous !== undefined,
  });
  const points = useMemo(() => usage && pointsOf(usage, previous, new Date()), [usage, previous]);
  const isWithout = usage && isEmpty(usage) && usage.forecast.status !== "ESTIMATED";
  return (
    <ChartCard
      title={t.chart}
      note={usage ? !isWithout && <Completeness usage={usage} /> : !failure && <Skeleton />}
      texts={shared.chart}
      series={charts?.[view.chart] ?? []}
      total={view.chart === "spend" ? charts?.total : undefined}
      listed={charts?.listed ?? []}
      points={points}
      currency={currency}
      isBusy={load.loading}
      isOutdated={load.previous}
      choice={choiceOf(scope, by)}
      actions={
        <>
          <Toggle isOn={view.previous} onChange={(previous) => show({ previous })}>
            {t.previous}
          </Toggle>
          <Segments
            label={t.view}
            small
            options={CHART_VIEWS.map((id) => ({ id, label: t.views[id] }))}
            selected={view.chart}
            onSelect={(next) => show({ chart: next })}
          />
        </>
      }
      notice={failure && usage && <StaleNotice retry={retry} />}
      placeholder={
        failure && !usage ? (
          <LoadFailed failure={failure} retry={retry} />
        ) : isWithout ? (
          <NoUsage scope={scope} />
        ) : undefined
      }
    />
  );
}

/** The grouping of the loaded series: while another loads, still the previous one. */
function useLoadedBy(by: Dimension, { previous, data }: Load<UsageQuery>): Dimension {
  const loaded = useRef(by);
  const isCurrent = !previous && data !== undefined;
  useEffect(() => {
    if (isCurrent) loaded.current = by;
  }, [by, isCurrent]);
  return isCurrent ? by : loaded.current;
}

function useCharts(account: string, by: Dimension, usage: UsageOf | undefined, parts: Parts) {
  const { hasForecast, hasPrevious } = parts;
  return useMemo(() => {
    if (!usage) return undefined;
    const ids = usage.series.filter(({ group }) => group !== "OTHER").map(idOf);
    const colours = coloursOf(ids, knownColours(account, by));
    return chartsOf(usage, by, colours, { hasForecast, hasPrevious });
  }, [account, by, usage, hasForecast, hasPrevious]);
}

function choiceOf({ filters, toggle }: UsageScope, by: Dimension): Choice | undefined {
  if (!toggle) return undefined;
  return {
    isChoosable: (id) => isValue(id, by),
    isChosen: (id) => filters[by]?.includes(keyOf(id) ?? null) ?? false,
    toggle: (id) => toggle(by, keyOf(id) ?? null),
  };
}

/** Whether the filter can select a series: "Other" is no value, and every charge has a resource. */
function isValue(id: string, by: Dimension): boolean {
  const value = keyOf(id);
  return value !== undefined && (value !== null || by !== "RESOURCE");
}

function Completeness({ usage: { completeUntil, buckets, timeZone } }: { usage: UsageOf }) {
  const end = buckets.at(-1)?.end;
  if (!end || new Date(completeUntil) >= new Date(end)) return null;
  const time = `${formatDay(completeUntil, timeZone)}, ${formatTime(completeUntil, timeZone)}`;
  return <Sentence>{t.completeUntil(time)}</Sentence>;
}
