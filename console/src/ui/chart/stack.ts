// Where the bars and lines of a chart stand on its axis: in floats, for drawing only.

import { toPlotValue } from "../../util/money";
import type { Point, Series } from "./series";

/** The start and the end of a bar, or zero and the value of a line; null where there is none. */
export type Span = readonly [number, number] | null;

export type Stacked = {
  series: Series;
  spans: readonly Span[];
  /** The range of an estimate, on the same axis. */
  ranges: readonly Span[];
};

/** Stacked bars stand on those before them: amounts above zero upwards, those below zero downwards. */
export function stacked(points: readonly Point[], series: readonly Series[]): Stacked[] {
  const tops = new Map<string, number[]>();
  const bottoms = new Map<string, number[]>();
  const ends = (of: Map<string, number[]>, stack: string) => {
    const known = of.get(stack) ?? points.map(() => 0);
    of.set(stack, known);
    return known;
  };
  return series.map((each) => {
    const spans: Span[] = [];
    const ranges: Span[] = [];
    points.forEach((point, at) => {
      const amount = point.amounts[each.id];
      if (!amount) {
        spans.push(null);
        ranges.push(null);
        return;
      }
      const value = toPlotValue(amount);
      let start = 0;
      if (each.shape === "bar" && each.stack !== undefined) {
        const side = ends(value < 0 ? bottoms : tops, each.stack);
        start = side[at] ?? 0;
        side[at] = start + value;
      }
      spans.push([start, start + value]);
      ranges.push(rangeOf(point, each, start));
    });
    return { series: each, spans, ranges };
  });
}

function rangeOf({ amounts }: Point, { range }: Series, start: number): Span {
  const low = range && amounts[range.low];
  const high = range && amounts[range.high];
  return low && high ? [start + toPlotValue(low), start + toPlotValue(high)] : null;
}
