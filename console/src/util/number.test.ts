import { describe, expect, test } from "vitest";
import { plain, speak } from "../testing/language";
import {
  changeOf,
  formatCount,
  formatDays,
  formatDecimal,
  formatExactQuantity,
  formatGibibytes,
  formatQuantity,
  formatRowRange,
  formatShare,
} from "./number";

test("bytes are shown in GiB", () => {
  expect(formatGibibytes("274877906944")).toBe("256 GiB");
  expect(formatGibibytes("536870912")).toBe("0.5 GiB");
});

describe("shares", () => {
  test.each([
    ["0", "10", "0.0%"],
    ["10", "10", "100.0%"],
    ["1", "3", "33.3%"],
    ["2", "3", "66.7%"],
    // Half of a tenth of a percent is rounded up.
    ["1", "2000", "< 0.1%"],
    ["1", "1000", "0.1%"],
    ["0.0015", "1", "0.2%"],
    ["0.000000001", "9007199254740993", "< 0.1%"],
    // Corrections: a negative part, and more than the whole.
    ["-1", "4", "-25.0%"],
    ["5", "4", "125.0%"],
    ["-0.000000001", "4", "> -0.1%"],
    ["-1", "-4", "25.0%"],
    ["1", "-4", "-25.0%"],
  ])("%s of %s is %s", (part, whole, text) => {
    expect(formatShare(part, whole)).toBe(text);
  });

  test("a share is exact beyond the digits of a float", () => {
    expect(formatShare("9007199254740993", "18014398509481986")).toBe("50.0%");
  });
});

describe("changes", () => {
  test.each([
    ["3", "2", "up", "50%"],
    ["1", "2", "down", "50%"],
    ["2", "2.000", "same", "0%"],
    ["0", "2", "down", "100%"],
    ["-1", "2", "down", "150%"],
    ["1.000000001", "1", "up", "< 0.1%"],
    ["1.0005", "1", "up", "< 0.1%"],
    ["1.001", "1", "up", "0.1%"],
    ["46", "2", "up", "2,200%"],
  ] as const)("from %s, compared with %s", (now, before, direction, percentage) => {
    expect(changeOf(now, before)).toEqual({ direction, percentage });
  });

  test.each(["0", "0.000", "-5"])("there is no change in percent from %s", (before) => {
    expect(changeOf("1", before)).toBeNull();
  });
});

describe("counts and quantities", () => {
  test("a quantity has two decimals, or two significant digits", () => {
    expect(formatQuantity("1234.567")).toBe("1,234.57");
    expect(formatQuantity("0.000123")).toBe("0.00012");
    expect(formatQuantity("0")).toBe("0");
    expect(formatExactQuantity("0.000000123")).toBe("0.000000123");
    expect(formatDecimal("12.345")).toBe("12.35");
  });

  test("a quantity beyond 2^53 keeps its digits", () => {
    expect(formatExactQuantity("9007199254740993.5")).toBe("9,007,199,254,740,993.5");
  });

  test("rows are given by their places in the list", () => {
    expect(formatRowRange(0, 10)).toBe("1–10");
    expect(formatRowRange(1000, 10)).toBe("1,001–1,010");
    expect(formatRowRange(20, 1)).toBe("21");
    expect(formatRowRange(null, 10)).toBe("10");
  });

  test("German numbers and days", () => {
    speak("de", "de-DE");
    expect(formatCount(1234567)).toBe("1.234.567");
    expect(plain(formatShare("1", "3"))).toBe("33,3 %");
    expect(plain(formatShare("0.000000001", "4"))).toBe("< 0,1 %");
    expect([1, 7].map(formatDays).map(plain)).toEqual(["1 Tag", "7 Tage"]);
    speak("en", "en-US");
    expect([1, 7].map(formatDays)).toEqual(["1 day", "7 days"]);
  });
});
