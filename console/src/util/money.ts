// Money for people. Amounts are decimal strings from end to end: Intl reads them exactly, and sums
// and signs are of whole nanos, so no amount is ever a float.

import { locale } from "./locale";

export type Amount = { amount: string; currency: string };

/** Whether a plus is written too; a zero has no sign. */
type Sign = "negative" | "exceptZero";

const NANO_DIGITS = 9;
const formats = new Map<string, Intl.NumberFormat>();

/**
 * What a person reads: the currency's minor digits, and below one unit two significant digits where
 * the minor ones would show fewer, so that only nothing reads as zero.
 */
export function formatMoney(money: Amount, sign: Sign = "negative"): string {
  return format(money, { ...shownDigits(money), signDisplay: sign });
}

/** Every digit that there is. */
export function formatExactMoney(money: Amount, sign: Sign = "negative"): string {
  return format(money, {
    minimumFractionDigits: minorDigits(money.currency),
    maximumFractionDigits: NANO_DIGITS,
    signDisplay: sign,
  });
}

/** The decimals that a person reads of an amount. */
export function shownDecimals(money: Amount): number {
  const made = formatOf(money.currency, shownDigits(money));
  const parts = made.formatToParts(money.amount as Intl.StringNumericLiteral);
  return parts.find(({ type }) => type === "fraction")?.value.length ?? 0;
}

/** The decimals of the longest amount of a column. */
export function longestDecimals(amounts: readonly Amount[]): number {
  return Math.max(0, ...amounts.map(shownDecimals));
}

/** What an amount is shorter than one of so many decimals: zeros after the locale's point. */
export function missingDecimals(money: Amount, decimals: number): string {
  const own = shownDecimals(money);
  if (own >= decimals) return "";
  const zeros = new Intl.NumberFormat(locale, { minimumFractionDigits: decimals }).format(0);
  return own === 0 ? zeros.slice(-decimals - 1) : zeros.slice(own - decimals);
}

function shownDigits({ amount, currency }: Amount): Intl.NumberFormatOptions {
  const minor = minorDigits(currency);
  // As many as whole nanos have digits, so many decimals less are zeros at the beginning.
  const digits = toNanos(amount).toString().replace("-", "").length;
  const two = digits > NANO_DIGITS ? 0 : Math.min(NANO_DIGITS, NANO_DIGITS - digits + 2);
  return {
    minimumFractionDigits: minor,
    maximumFractionDigits: Math.max(minor, two),
  };
}

/** Short, for the axis of a chart: $1.2K. */
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

/** The whole nanos of a decimal string of at most nine decimals. */
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

export function negated(money: Amount): Amount {
  return { ...money, amount: fromNanos(-toNanos(money.amount)) };
}

/** What is left of an amount when others are taken off. */
export function less(money: Amount, others: readonly Amount[]): Amount {
  const taken = others.reduce((sum, { amount }) => sum + toNanos(amount), 0n);
  return { ...money, amount: fromNanos(toNanos(money.amount) - taken) };
}

/** How high to draw it. For pixels alone: what is read is always formatted from the string. */
export function toHeight(money: Amount): number {
  return Number(money.amount);
}

function format(money: Amount, options: Intl.NumberFormatOptions): string {
  return formatOf(money.currency, options).format(money.amount as Intl.StringNumericLiteral);
}

function formatOf(currency: string, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = `${locale} ${currency} ${JSON.stringify(options)}`;
  let made = formats.get(key);
  if (!made) {
    made = new Intl.NumberFormat(locale, { style: "currency", currency, ...options });
    formats.set(key, made);
  }
  return made;
}

function minorDigits(currency: string): number {
  const options = new Intl.NumberFormat(locale, { style: "currency", currency });
  return options.resolvedOptions().maximumFractionDigits ?? 2;
}
