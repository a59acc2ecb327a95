// The series of a chart after new usage: their last points come from a query of the buckets in progress.

import { fromNanos, toNanos } from "../../util/money";
import { type Group, idOf } from "./group-names";

type Point = { spend: { amount: string } };
export type GroupSeries = Group & { label: string; points: Point[] };

/**
 * Series with their points from `first` on replaced. Values that have no series of their own are part of
 * "Other". Null where the last points do not tell which value they belong to.
 */
export function withLastPoints(
  series: readonly GroupSeries[],
  last: readonly GroupSeries[],
  first: number,
  count: number,
): GroupSeries[] | null {
  const found = new Map(last.map((each) => [idOf(each), each.points]));
  const shown = new Set(series.map(idOf));
  const others = last.filter((each) => !shown.has(idOf(each)));
  const hasOther = series.some(({ group }) => group === "OTHER");
  const isUnclear = last.some(({ group }) => group === "OTHER");
  if (isUnclear || (others.length > 0 && !hasOther)) return null;
  const summed = Array.from({ length: count }, (_, at) => sumAt(others, at));
  return series.map((each) => {
    const points =
      each.group === "OTHER" ? summed : (found.get(idOf(each)) ?? summed.map(() => pointOf(0n)));
    return { ...each, points: [...each.points.slice(0, first), ...points] };
  });
}

function sumAt(series: readonly GroupSeries[], at: number): Point {
  const nanos = series.map(({ points }) => toNanos(points[at]?.spend.amount ?? "0"));
  return pointOf(nanos.reduce((total, each) => total + each, 0n));
}

function pointOf(nanos: bigint): Point {
  return { spend: { amount: fromNanos(nanos) } };
}
