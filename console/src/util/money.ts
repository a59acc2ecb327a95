// Money for people. Amounts are decimal strings from end to end: Intl reads them exactly, and sums
// and signs are of whole nanos, so no amount is ever a float.

export type Amount = { amount: string; currency: string };

const NANO_DIGITS = 9;
const formats = new Map<string, Intl.NumberFormat>();

/** Rounded to the currency's minor digits, or to two significant ones where those would hide it. */
export function formatMoney(money: Amount): string {
  const digits = minorDigits(money.currency);
  return format(money, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
    maximumSignificantDigits: 2,
    roundingPriority: "morePrecision",
    ...SIGNLESS_ZERO,
  });
}

/** Every digit that there is, and at least so many decimals. */
export function formatExactMoney(money: Amount, decimals = 0): string {
  return format(money, {
    minimumFractionDigits: Math.max(decimals, minorDigits(money.currency)),
    maximumFractionDigits: NANO_DIGITS,
    ...SIGNLESS_ZERO,
  });
}

/** How many decimals an exact amount takes. */
export function decimalsOf({ amount }: Amount): number {
  return amount.split(".")[1]?.length ?? 0;
}

/** Short, for the axis of a chart: $1.2K. */
export function formatAxisMoney(value: number, currency: string): string {
  return format(
    { amount: String(value), currency },
    { notation: "compact", maximumSignificantDigits: 3, ...SIGNLESS_ZERO },
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

export function sum(first: Amount, second: Amount): Amount {
  return { ...first, amount: fromNanos(toNanos(first.amount) + toNanos(second.amount)) };
}

/** How high to draw it. For pixels alone: what is read is always formatted from the string. */
export function toHeight(money: Amount): number {
  return Number(money.amount);
}

const SIGNLESS_ZERO: Intl.NumberFormatOptions = { signDisplay: "negative" };

function format({ amount, currency }: Amount, options: Intl.NumberFormatOptions): string {
  const key = `${currency} ${JSON.stringify(options)}`;
  let made = formats.get(key);
  if (!made) {
    made = new Intl.NumberFormat(undefined, { style: "currency", currency, ...options });
    formats.set(key, made);
  }
  return made.format(amount as Intl.StringNumericLiteral);
}

function minorDigits(currency: string): number {
  const options = new Intl.NumberFormat(undefined, { style: "currency", currency });
  return options.resolvedOptions().maximumFractionDigits ?? 2;
}
