// The axis of a chart: its ticks and labels, and how wide the labels are.

import { formatAxisMoney } from "../../util/money";
import type { Stacked } from "./stack";

export type Axis = {
  ticks: readonly { value: number; label: string }[];
  /** The least and the most value; the least is below the first tick where amounts are slightly negative. */
  domain: [number, number];
};

export const TICK_SIZE = 11;

/** At most: few enough to read. */
const STEPS = 5;
/** A step is one of these times a power of ten. */
const FACTORS = [1, 2, 5];
/** Much less than a step, much more than the rounding error of floats. */
const SLACK = 1e-6;
/** The most of an axis that may be below zero without a tick of its own, as a share. */
const DIP = 0.1;

type Extent = { low: number; high: number };

/** The axis of all that a chart draws. */
export function axisOf(drawn: readonly Stacked[], currency: string): Axis {
  const extent = { low: 0, high: 0 };
  for (const { spans, ranges } of drawn) {
    for (const span of [...spans, ...ranges]) {
      if (!span) continue;
      extent.low = Math.min(extent.low, ...span);
      extent.high = Math.max(extent.high, ...span);
    }
  }
  // A slight dip below zero has no tick of its own.
  const isDip = extent.low >= -DIP * extent.high;
  const { ticks, most } = ticksOver(isDip ? { low: 0, high: extent.high } : extent, currency);
  return { ticks, domain: [Math.min(extent.low, ticks[0]?.value ?? 0), most] };
}

/** Ticks at equal steps, from at most the least value to at least the most. */
function ticksOver(extent: Extent, currency: string) {
  const { factor, exponent, first } = stepsOver(extent);
  // From digits, because sums of floats are not exact.
  const valueAt = (at: number) => Number(`${(first + at) * factor}e${exponent}`);
  const ticks = [];
  for (let at = 0; at <= STEPS; at += 1) {
    const value = valueAt(at);
    ticks.push({ value, label: formatAxisMoney(value, currency) });
    if (at > 0 && value >= extent.high - SLACK * (valueAt(1) - valueAt(0)) && extent.high > 0)
      break;
  }
  return { ticks, most: ticks.at(-1)?.value ?? 0 };
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
