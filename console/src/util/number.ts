// Counts, shares and quantities for people. They come as decimal strings, and Intl reads those exactly.

import { toNanos } from "./money";

const counts = new Intl.NumberFormat();
const decimals = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });
const quantities = new Intl.NumberFormat(undefined, {
  maximumFractionDigits: 2,
  maximumSignificantDigits: 2,
  roundingPriority: "morePrecision",
});
const exact = new Intl.NumberFormat(undefined, { maximumFractionDigits: 9 });
const percents = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 1 });

/** The least share that is shown as itself. */
const LEAST_SHARE = "0.001";

export function formatCount(count: number): string {
  return counts.format(count);
}

export function formatDecimal(decimal: string): string {
  return decimals.format(decimal as Intl.StringNumericLiteral);
}

export function formatQuantity(decimal: string): string {
  return quantities.format(decimal as Intl.StringNumericLiteral);
}

export function formatExactQuantity(decimal: string): string {
  return exact.format(decimal as Intl.StringNumericLiteral);
}

/** A fraction as a percentage; a small one is not shown as nothing. */
export function formatShare(fraction: string): string {
  const nanos = toNanos(fraction);
  if (nanos > 0n && nanos < toNanos(LEAST_SHARE)) {
    return `< ${percents.format(LEAST_SHARE as Intl.StringNumericLiteral)}`;
  }
  return percents.format(fraction as Intl.StringNumericLiteral);
}

export type Change = { direction: "up" | "down" | "same"; percentage: string };

const THOUSANDTHS = 1000n;

/** By how much a decimal has grown over another, exact; null where that is not a number's share. */
export function changeOf(now: string, before: string): Change | null {
  const base = toNanos(before);
  if (base <= 0n) return null;
  const grown = toNanos(now) - base;
  const direction = grown > 0n ? "up" : grown < 0n ? "down" : "same";
  const size = grown < 0n ? -grown : grown;
  // Rounded half up to a tenth of a percent, in whole numbers.
  const thousandths = (2n * size * THOUSANDTHS + base) / (2n * base);
  const fraction = `${thousandths / THOUSANDTHS}.${String(thousandths % THOUSANDTHS).padStart(3, "0")}`;
  const percentage =
    direction !== "same" && thousandths === 0n
      ? formatShare("0.0001")
      : percents.format(fraction as Intl.StringNumericLiteral);
  return { direction, percentage };
}
