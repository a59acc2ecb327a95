// The scales of a chart: which amounts are marked, by which labels, and how wide those are.

import { formatAxisMoney, toHeight } from "../../util/money";
import type { Point, Series } from "./series";

export type Axis = { ticks: readonly { value: number; label: string }[] };
export type Axes = { start: Axis; end: Axis | null };

export const TICK_SIZE = 11;

/** Few enough to read; on both axes the same number, so that both meet the lines of the grid. */
const STEPS = 5;
/** Steps of 1, 2 or 5 fit amounts closely. */
const FACTORS = [1, 2, 5];
/** Far less than a step, far more than what floats lose. */
const SLACK = 1e-6;

export function axesOf(
  points: readonly Point[],
  series: readonly Series[],
  currency: string,
): Axes {
  const of = (side: Series["axis"]) =>
    axisOf(
      series
        .filter(({ axis = "start" }) => axis === side)
        .flatMap(({ id }) => points.flatMap(({ amounts: { [id]: amount } }) => amount ?? []))
        .map(toHeight),
      currency,
    );
  return { start: of("start"), end: series.some(({ axis }) => axis === "end") ? of("end") : null };
}

/** Five equal steps that hold zero and all the values. */
function axisOf(values: readonly number[], currency: string): Axis {
  const low = Math.min(0, ...values);
  const high = Math.max(0, ...values);
  const { factor, exponent, first } = stepsOver(low, high);
  const ticks = Array.from({ length: STEPS + 1 }, (_, at) => {
    // Read from digits: sums of floats would not be the numbers that are meant.
    const value = Number(`${(first + at) * factor}e${exponent}`);
    return { value, label: formatAxisMoney(value, currency) };
  });
  return { ticks };
}

function stepsOver(low: number, high: number) {
  const least = (high - low) / STEPS;
  if (least === 0) return { factor: 1, exponent: 0, first: 0 };
  for (let exponent = Math.floor(Math.log10(least)); ; exponent += 1) {
    for (const factor of FACTORS) {
      const step = Number(`${factor}e${exponent}`);
      const first = Math.floor(low / step + SLACK);
      if (first + STEPS >= high / step - SLACK) return { factor, exponent, first };
    }
  }
}

const widths = new Map<string, number>();

/** How wide a label is drawn, in pixels. */
export function widthOf(label: string): number {
  let width = widths.get(label);
  if (width === undefined) {
    const drawn = document.createElement("span");
    drawn.className = "tick-label";
    drawn.style.fontSize = `${TICK_SIZE}px`;
    drawn.textContent = label;
    document.body.append(drawn);
    width = drawn.getBoundingClientRect().width;
    drawn.remove();
    widths.set(label, width);
  }
  return width;
}
