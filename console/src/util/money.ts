// Money for people. Amounts are decimal strings from end to end: Intl formats them exactly, and sums
// and signs are computed in whole nanos, so no amount is ever a float.

import { locale } from "./locale";

export type Amount = { amount: string; currency: string };

/** `exceptZero` writes a plus too; a zero has no sign. */
type Sign = "negative" | "exceptZero";

const NANO_DIGITS = 9;
const formats = new Map<string, Intl.NumberFormat>();

/**
 * An amount with the currency's own decimals. Below one unit it has two significant digits where those
 * decimals would show fewer, so that only zero is written as zero.
 */
export function formatMoney(money: Amount, sign: Sign = "negative"): string {
  return format(money, { ...shownDigits(money), signDisplay: sign });
}

/** An amount with every digit. */
export function formatExactMoney(money: Amount, sign: Sign = "negative"): string {
  return format(money, {
    minimumFractionDigits: minorDigits(money.currency),
    maximumFractionDigits: NANO_DIGITS,
    signDisplay: sign,
  });
}

/** How many decimals `formatMoney` writes. */
export function shownDecimals(money: Amount): number {
  const parts = formatOf(money.currency, shownDigits(money)).formatToParts(
    money.amount as Intl.StringNumericLiteral,
  );
  return parts.find(({ type }) => type === "fraction")?.value.length ?? 0;
}

/** The most decimals that `formatMoney` writes for any amount of a column. */
export function mostDecimals(amounts: readonly Amount[]): number {
  return Math.max(0, ...amounts.map(shownDecimals));
}

/** The zeros, and the decimal point where needed, that widen an amount to `decimals` decimals. */
export function paddingZeros(money: Amount, decimals: number): string {
  const own = shownDecimals(money);
  if (own >= decimals) return "";
  const zeros = new Intl.NumberFormat(locale, { minimumFractionDigits: decimals }).format(0);
  return own === 0 ? zeros.slice(-decimals - 1) : zeros.slice(own - decimals);
}

function shownDigits({ amount, currency }: Amount): Intl.NumberFormatOptions {
  const minor = minorDigits(currency);
  // The fewer digits an amount in whole nanos has, the more zeros its decimals start with.
  const digits = toNanos(amount).toString().replace("-", "").length;
  const two = digits > NANO_DIGITS ? 0 : Math.min(NANO_DIGITS, NANO_DIGITS - digits + 2);
  return {
    minimumFractionDigits: minor,
    maximumFractionDigits: Math.max(minor, two),
  };
}

/** A short form for the axis of a chart: $1.2K. */
export function formatAxisMoney(value: number, currency: string): string {
  return format(
    { amount: String(value), currency },
    {
      notation: "compact",
      maximumSignificantDigits: 3,
      useGrouping: true,
      signDisplay: "negative",
    },
  );
}

/** Whole nanos from a decimal string with at most nine decimals. */
export function toNanos(amount: string): bigint {
  const negative = amount.startsWith("-");
  const [units = "0", fraction = ""] = amount.replace("-", "").split(".");
  const nanos = BigInt(units + fraction.padEnd(NANO_DIGITS, "0"));
  return negative ? -nanos : nanos;
}

export function fromNanos(nanos: bigint): string {
  const digits = (nanos < 0n ? -nanos : nanos).toString().padStart(NANO_DIGITS + 1, "0");
  const fraction = digits.slice(-NANO_DIGITS).replace(/0+$/, "");
  return `${nanos < 0n ? "-" : ""}${digits.slice(0, -NANO_DIGITS)}${fraction && `.${fraction}`}`;
}

export function isZero(money: Amount): boolean {
  return toNanos(money.amount) === 0n;
}

export function isNegative(money: Amount): boolean {
  return money.amount.startsWith("-") && !isZero(money);
}

export function negate(money: Amount): Amount {
  return { ...money, amount: fromNanos(-toNanos(money.amount)) };
}

/** An amount less others of the same currency. */
export function subtract(money: Amount, others: readonly Amount[]): Amount {
  const taken = others.reduce((sum, { amount }) => sum + toNanos(amount), 0n);
  return { ...money, amount: fromNanos(toNanos(money.amount) - taken) };
}

/** The sum of amounts of one currency. */
export function sum(amounts: readonly Amount[], currency: string): Amount {
  const nanos = amounts.reduce((total, { amount }) => total + toNanos(amount), 0n);
  return { amount: fromNanos(nanos), currency };
}

/** A float for drawing only: text is always formatted from the string. */
export function toPlotValue(money: Amount): number {
  return Number(money.amount);
}

function format(money: Amount, options: Intl.NumberFormatOptions): string {
  return formatOf(money.currency, options).format(money.amount as Intl.StringNumericLiteral);
}

function formatOf(currency: string, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = `${locale} ${currency} ${JSON.stringify(options)}`;
  let known = formats.get(key);
  if (!known) {
    known = new Intl.NumberFormat(locale, { style: "currency", currency, ...options });
    formats.set(key, known);
  }
  return known;
}

function minorDigits(currency: string): number {
  const options = new Intl.NumberFormat(locale, { style: "currency", currency });
  return options.resolvedOptions().maximumFractionDigits ?? 2;
}
