// The points and the series of the chart of spend.

import type { UsageQuery } from "../../api/generated/graphql";
import { usage as t } from "../../text/usage";
import type { Colour, Point, Series } from "../../ui/chart/series";
import { type Amount, formatMoney, isZero, sum } from "../../util/money";
import { bucketLabel, bucketTick } from "../shared/bucket-label";
import type { ChartView, Dimension } from "../shared/view";
import { remaining } from "./forecast";
import { idOf, nameOf } from "./group-names";
import { lengthOf } from "./usage-window";

type Account = NonNullable<UsageQuery["account"]>;
type UsageOf = Account["usage"];
type Previous = Account["previous"];
type Amounts = Record<string, Amount>;

const STACK = "spend";
const RANGE = { low: "low", high: "high" };
const CUMULATIVE_RANGE = { low: "cumulative-low", high: "cumulative-high" };

export type Charts = Record<ChartView, readonly Series[]> & {
  total: Series;
  /** The series of the table. */
  listed: readonly Series[];
};

export type Parts = { hasForecast: boolean; hasPrevious: boolean };

export function chartsOf(
  { series }: UsageOf,
  by: Dimension,
  colours: ReadonlyMap<string, Colour>,
  { hasForecast, hasPrevious }: Parts,
): Charts {
  const total: Series = { id: "spend", label: t.spend, shape: "bar", colour: 1 };
  const cumulative: Series = { id: "cumulative", label: t.cumulative, shape: "line", colour: 1 };
  const line = { shape: "line", colour: "rest", look: "comparison" } as const;
  const previous: Series = { id: "previous", label: t.previous, ...line };
  const estimate = { label: t.forecast, colour: "rest", look: "estimate" } as const;
  const forecast: Series = {
    id: "forecast",
    shape: "bar",
    stack: STACK,
    range: RANGE,
    ...estimate,
  };
  const groups = series.map((each): Series => {
    const id = idOf(each);
    const colour = colours.get(id) ?? "rest";
    return { id, label: nameOf(each, by), shape: "bar", colour, stack: STACK };
  });
  const [later, before] = [hasForecast ? [forecast] : [], hasPrevious ? [previous] : []];
  return {
    total,
    spend: [...groups, ...later, ...before],
    cumulative: [
      cumulative,
      ...later.map(
        (each): Series => ({
          ...each,
          id: "cumulative-forecast",
          shape: "line",
          colour: 1,
          range: CUMULATIVE_RANGE,
        }),
      ),
      ...before.map((each) => ({ ...each, id: "cumulative-previous" })),
    ],
    listed: [total, cumulative, ...later, ...before, ...groups],
  };
}

/** The labels are of the response's own window, which may still be the previous one. */
export function pointsOf(usage: UsageOf, previous: Previous, now: Date): Point[] {
  const { buckets, interval, timeZone, from, to, series } = usage;
  const isLong = lengthOf({ from, to }) > 366;
  const estimates = estimatesOf(usage, now);
  return buckets.map((bucket, at) => {
    const { currency } = bucket.spend;
    const before = previous?.buckets[at];
    const hasStarted = new Date(bucket.start) <= now;
    const amounts: Amounts = { ...estimates[at] };
    if (hasStarted || !isZero(bucket.spend)) amounts["spend"] = bucket.spend;
    for (const each of series) {
      amounts[idOf(each)] = { amount: each.points[at]?.spend.amount ?? "0", currency };
    }
    // The line ends with the last bucket that has started.
    if (hasStarted) amounts["cumulative"] = bucket.cumulativeSpend;
    if (before) {
      amounts["previous"] = before.spend;
      amounts["cumulative-previous"] = before.cumulativeSpend;
    }
    return {
      id: bucket.start,
      label: bucketLabel(bucket, interval, timeZone),
      tick: bucketTick(bucket, interval, timeZone, isLong),
      amounts,
      isPartial: bucket.partial && hasStarted,
      ...(bucket.unusual && {
        remark: t.unusual(formatMoney(bucket.unusual.low), formatMoney(bucket.unusual.high)),
      }),
    };
  });
}

/** For each bucket that is not over, what is expected of it, and the sums up to its end. */
function estimatesOf({ forecast, buckets, summary }: UsageOf, now: Date): Amounts[] {
  const { expected, low, high } = forecast;
  if (!expected || !low || !high) return buckets.map(() => ({}));
  const booked = summary.totalSpend;
  const estimates = Object.entries({ forecast: expected, low, high });
  const found: Amounts[] = buckets.map(() => ({}));
  for (const [name, estimated] of estimates) {
    let soFar = booked;
    remaining(buckets, { estimated, booked }, now).forEach((part, at) => {
      const amounts = found[at];
      if (!part || !amounts) return;
      amounts[name] = part;
      soFar = sum([soFar, part], part.currency);
      amounts[`cumulative-${name}`] = soFar;
    });
  }
  return found;
}

export function isEmpty({ buckets }: UsageOf): boolean {
  return buckets.every((each) => each.deployments === 0 && isZero(each.spend));
}
