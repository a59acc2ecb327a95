import { describe, expect, test } from "vitest";
import { plain, speak } from "../testing/language";
import {
  type Amount,
  formatAxisMoney,
  formatExactMoney,
  formatMoney,
  fromNanos,
  isNegative,
  isZero,
  mostDecimals,
  negate,
  paddingZeros,
  shownDecimals,
  subtract,
  toNanos,
} from "./money";

const usd = (amount: string): Amount => ({ amount, currency: "USD" });
describe("nanos", () => {
  test.each([
    ["0", 0n],
    ["-0", 0n],
    ["-0.000000001", -1n],
    ["1.5", 1_500_000_000n],
    ["-12.034", -12_034_000_000n],
    // Beyond 2^53, where a float loses the last digits.
    ["9007199254740993.000000001", 9_007_199_254_740_993_000_000_001n],
    ["-9223372036.854775808", -9_223_372_036_854_775_808n],
  ])("%s is exact", (amount, nanos) => {
    expect(toNanos(amount)).toBe(nanos);
  });

  test.each(["0.000000001", "-0.5", "9007199254740993.000000001", "-9223372036.854775808"])(
    "%s survives both directions",
    (amount) => {
      expect(fromNanos(toNanos(amount))).toBe(amount);
    },
  );

  test("zeros at the end are left out, and zero has no sign", () => {
    expect(fromNanos(toNanos("1.500"))).toBe("1.5");
    expect(fromNanos(toNanos("-2.000000000"))).toBe("-2");
    expect(fromNanos(toNanos("-0"))).toBe("0");
  });
});

describe("sums and signs", () => {
  test("subtraction is exact where floats are not", () => {
    expect(subtract(usd("0.3"), [usd("0.1"), usd("0.2")])).toEqual(usd("0"));
    expect(subtract(usd("9007199254740993"), [usd("9007199254740992.999999999")])).toEqual(
      usd("0.000000001"),
    );
    expect(subtract(usd("1"), [])).toEqual(usd("1"));
    expect(subtract(usd("1"), [usd("-2")])).toEqual(usd("3"));
  });

  test("negation keeps zero without a sign", () => {
    expect(negate(usd("0"))).toEqual(usd("0"));
    expect(negate(usd("-0.000000001"))).toEqual(usd("0.000000001"));
  });

  test("a negative zero is zero and not negative", () => {
    expect(isZero(usd("-0.000"))).toBe(true);
    expect(isNegative(usd("-0.000"))).toBe(false);
    expect(isNegative(usd("-0.000000001"))).toBe(true);
  });
});

describe("amounts for people", () => {
  test.each([
    ["0", "$0.00"],
    ["-0", "$0.00"],
    ["1234567.895", "$1,234,567.90"],
    ["-1234.5", "-$1,234.50"],
    ["1.005", "$1.01"],
    ["9007199254740993.25", "$9,007,199,254,740,993.25"],
    // Below one, at least two significant digits: only zero reads as zero.
    ["0.5", "$0.50"],
    ["0.999", "$1.00"],
    ["0.0949", "$0.095"],
    ["0.000123456", "$0.00012"],
    ["-0.000000001", "-$0.000000001"],
    ["0.000000019", "$0.000000019"],
  ])("%s USD reads as %s", (amount, text) => {
    expect(formatMoney(usd(amount))).toBe(text);
  });

  test.each([
    ["JPY", "1234.5", "¥1,235"],
    ["JPY", "0.25", "¥0.25"],
    ["KWD", "1.23456", "KWD 1.235"],
    ["KWD", "0.5", "KWD 0.500"],
    ["EUR", "-3", "-€3.00"],
  ])("the decimals are those of %s", (currency, amount, text) => {
    expect(plain(formatMoney({ amount, currency }))).toBe(text);
  });

  test("every digit is there in the exact form", () => {
    expect(formatExactMoney(usd("9007199254740993.000000001"))).toBe(
      "$9,007,199,254,740,993.000000001",
    );
    expect(formatExactMoney(usd("2"))).toBe("$2.00");
    expect(formatExactMoney({ amount: "2", currency: "JPY" })).toBe("¥2");
  });

  test("a plus is written on request, except for zero", () => {
    expect(formatMoney(usd("2"), "exceptZero")).toBe("+$2.00");
    expect(formatMoney(usd("-2"), "exceptZero")).toBe("-$2.00");
    expect(formatMoney(usd("0"), "exceptZero")).toBe("$0.00");
  });

  test("German and its varieties have formats of their own", () => {
    speak("de", "de-DE");
    expect(plain(formatMoney(usd("-1234.5")))).toBe("-1.234,50 $");
    speak("de", "de-CH", "de-DE");
    expect(plain(formatMoney(usd("1234.5")))).toMatch(/^\$ 1[’']234\.50$/);
    speak("en", "de-DE", "en-GB");
    expect(plain(formatMoney(usd("1234.5")))).toBe("US$1,234.50");
  });

  test("an axis has short amounts", () => {
    expect(formatAxisMoney(1200, "USD")).toBe("$1.2K");
    expect(formatAxisMoney(-2_500_000, "USD")).toBe("-$2.5M");
    expect(formatAxisMoney(0, "USD")).toBe("$0");
    expect(formatAxisMoney(0.000001, "USD")).toBe("$0.000001");
  });
});

describe("columns", () => {
  test("the decimals of a column are the most of its amounts", () => {
    const column = [usd("12"), usd("0.00034"), usd("-1.5")];
    expect(column.map(shownDecimals)).toEqual([2, 5, 2]);
    expect(mostDecimals(column)).toBe(5);
    expect(mostDecimals([])).toBe(0);
  });

  test("padding makes amounts of a column equally wide", () => {
    expect(paddingZeros(usd("12"), 5)).toBe("000");
    expect(paddingZeros(usd("0.00034"), 5)).toBe("");
    expect(paddingZeros(usd("0.00034"), 2)).toBe("");
    // An amount without decimals lacks the point too.
    expect(paddingZeros({ amount: "12", currency: "JPY" }, 2)).toBe(".00");
    speak("de", "de-DE");
    expect(paddingZeros({ amount: "12", currency: "JPY" }, 2)).toBe(",00");
  });
});
