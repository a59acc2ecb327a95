// The axes of a chart: their ticks and labels, and how wide the labels are.

import { formatAxisMoney, toPlotValue } from "../../util/money";
import type { Point, Series } from "./series";

export type Axis = {
  ticks: readonly { value: number; label: string }[];
  /** The least and the most value; the least is below the first tick where amounts are slightly negative. */
  domain: [number, number];
};
export type Axes = { start: Axis; end: Axis | null };

export const TICK_SIZE = 11;

/** Few enough to read, and the same number on both axes, so that both fit the lines of the grid. */
const STEPS = 5;
/** A step is one of these times a power of ten. */
const FACTORS = [1, 2, 5];
/** Much less than a step, much more than the rounding error of floats. */
const SLACK = 1e-6;
/** The most of an axis that may be below zero without a tick of its own, as a share. */
const DIP = 0.1;

type Extent = { low: number; high: number };

export function axesOf(
  points: readonly Point[],
  series: readonly Series[],
  currency: string,
): Axes {
  const extentOf = (side: Series["axis"]) =>
    extent(
      series
        .filter(({ axis = "start" }) => axis === side)
        .flatMap(({ id }) => points.flatMap(({ amounts: { [id]: amount } }) => amount ?? []))
        .map(toPlotValue),
    );
  const start = extentOf("start");
  const end = series.some(({ axis }) => axis === "end") ? extentOf("end") : null;
  // The same share on both axes, so that their zeros are at one height.
  const dip = Math.max(...[start, end ?? start].map(dipOf));
  const of = (each: Extent) =>
    dip <= DIP ? axisOf({ low: 0, high: each.high }, currency, dip) : axisOf(each, currency, 0);
  return { start: of(start), end: end && of(end) };
}

/** The least extent with zero and all the values. */
function extent(values: readonly number[]): Extent {
  return { low: Math.min(0, ...values), high: Math.max(0, ...values) };
}

/** How far values are below zero, as a share of an axis that starts at zero. */
function dipOf({ low, high }: Extent): number {
  if (low === 0) return 0;
  const { factor, exponent } = stepsOver({ low: 0, high });
  return -low / (STEPS * Number(`${factor}e${exponent}`));
}

/** Five equal steps, and below them `dip` times their height. */
function axisOf(extent: Extent, currency: string, dip: number): Axis {
  const { factor, exponent, first } = stepsOver(extent);
  const ticks = Array.from({ length: STEPS + 1 }, (_, at) => {
    // From digits, because sums of floats are not exact.
    const value = Number(`${(first + at) * factor}e${exponent}`);
    return { value, label: formatAxisMoney(value, currency) };
  });
  const [least, most] = [ticks[0]?.value ?? 0, ticks[STEPS]?.value ?? 0];
  return { ticks, domain: [least - dip * (most - least), most] };
}

function stepsOver({ low, high }: Extent) {
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

/** The width of a drawn label in pixels. */
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
