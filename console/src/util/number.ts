// Counts, shares and quantities for people. Decimals are strings, which Intl formats exactly.

import { perLocale } from "./locale";
import { toNanos } from "./money";

const counts = numbers({});
const decimals = numbers({ maximumFractionDigits: 2 });
const quantities = numbers({
  maximumFractionDigits: 2,
  maximumSignificantDigits: 2,
  roundingPriority: "morePrecision",
});
const exact = numbers({ maximumFractionDigits: 9 });
const days = numbers({ style: "unit", unit: "day", unitDisplay: "long" });
const percents = numbers({ style: "percent", maximumFractionDigits: 1 });
/** Always one decimal, so that the decimal points of a column align. */
const shares = numbers({
  style: "percent",
  minimumFractionDigits: 1,
  maximumFractionDigits: 1,
});

const THOUSANDTHS = 1000n;

function numbers(options: Intl.NumberFormatOptions): () => Intl.NumberFormat {
  return perLocale((locale) => new Intl.NumberFormat(locale, options));
}

export function formatCount(count: number): string {
  return counts().format(count);
}

export function formatDays(count: number): string {
  return days().format(count);
}

/** `21–30` for 10 rows after the first 20; `10`, the count, where `before` is not known. */
export function formatRowRange(before: number | null, count: number): string {
  if (before === null) return formatCount(count);
  const last = formatCount(before + count);
  return count === 1 ? last : `${formatCount(before + 1)}–${last}`;
}

export function formatDecimal(decimal: string): string {
  return decimals().format(decimal as Intl.StringNumericLiteral);
}

export function formatQuantity(decimal: string): string {
  return quantities().format(decimal as Intl.StringNumericLiteral);
}

export function formatExactQuantity(decimal: string): string {
  return exact().format(decimal as Intl.StringNumericLiteral);
}

const GIBIBYTE = 2 ** 30;

export function formatGibibytes(bytes: string): string {
  return `${quantities().format(Number(bytes) / GIBIBYTE)} GiB`;
}

/** A part of a whole as a percentage with one decimal; only zero is written as 0.0%. */
export function formatShare(part: string, whole: string): string {
  const of = toNanos(part);
  const all = toNanos(whole);
  const size = magnitude(of) * THOUSANDTHS;
  const isNegative = of < 0n !== all < 0n && of !== 0n;
  if (of !== 0n && size < magnitude(all)) return isNegative ? above() : below();
  const rounded = divide(size, magnitude(all));
  return shares().format(`${isNegative ? "-" : ""}${rounded}` as Intl.StringNumericLiteral);
}

const below = () => `< ${shares().format(0.001)}`;
const above = () => `> ${shares().format(-0.001)}`;

function magnitude(number: bigint): bigint {
  return number < 0n ? -number : number;
}

/** A quotient rounded half up to thousandths, as a decimal; exact, in whole numbers. */
function divide(thousandths: bigint, by: bigint): string {
  const whole = (2n * thousandths + by) / (2n * by);
  return `${whole / THOUSANDTHS}.${String(whole % THOUSANDTHS).padStart(3, "0")}`;
}

export type Change = { direction: "up" | "down" | "same"; percentage: string };

/** The change from one decimal to another; null where the first is not above zero. */
export function changeOf(now: string, before: string): Change | null {
  const base = toNanos(before);
  if (base <= 0n) return null;
  const grown = toNanos(now) - base;
  const direction = grown > 0n ? "up" : grown < 0n ? "down" : "same";
  const size = magnitude(grown) * THOUSANDTHS;
  const percentage =
    direction !== "same" && size < base
      ? below()
      : percents().format(divide(size, base) as Intl.StringNumericLiteral);
  return { direction, percentage };
}
