// The series of a chart after new usage: their last points come from a query of the buckets in progress.

import type { Amount } from "../../util/money";
import { fromNanos, toNanos } from "../../util/money";
import { type Group, idOf } from "./group-names";

type Point = { spend: { amount: string } };
export type GroupSeries = Group & { label: string; points: Point[] };
type LastSeries = Group & { points: Point[] };

/**
 * Series with their points from `first` on replaced by those of the same values; what is left of each
 * bucket belongs to "Other". Null where something is left and no series is "Other": there is a new value.
 */
export function withLastPoints(
  series: readonly GroupSeries[],
  last: readonly LastSeries[],
  buckets: readonly { spend: Amount }[],
  first: number,
): GroupSeries[] | null {
  const found = new Map(last.map((each) => [idOf(each), each.points]));
  const amountOf = (of: Group, at: number) =>
    toNanos(found.get(idOf(of))?.[at]?.spend.amount ?? "0");
  const shown = series.filter(({ group }) => group !== "OTHER");
  const rests = buckets.map(({ spend }, at) =>
    shown.reduce((rest, each) => rest - amountOf(each, at), toNanos(spend.amount)),
  );
  if (shown.length === series.length && rests.some((rest) => rest !== 0n)) return null;
  return series.map((each) => {
    const amounts = each.group === "OTHER" ? rests : rests.map((_, at) => amountOf(each, at));
    return { ...each, points: [...each.points.slice(0, first), ...amounts.map(pointOf)] };
  });
}

function pointOf(nanos: bigint): Point {
  return { spend: { amount: fromNanos(nanos) } };
}
