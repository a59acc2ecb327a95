import { parseDate } from "@internationalized/date";
import { describe, expect, test } from "vitest";
import { daysBetween } from "./time";
import {
  customWindow,
  FIRST_DAY,
  isDay,
  isPreset,
  LAST_DAY,
  PRESETS,
  type Preset,
  presetWindow,
  toItsEnd,
} from "./window";

const daysOf = (preset: Preset, today: string) => {
  const { from, to } = presetWindow(preset, "UTC", today);
  return [from, to];
};

describe("presets", () => {
  test.each([
    ["7d", "2026-11-24", "2026-11-30"],
    ["30d", "2026-11-01", "2026-11-30"],
    ["90d", "2026-09-02", "2026-11-30"],
    // The 30th is a Monday: the week that has just started counts as one of the twelve.
    ["12w", "2026-09-14", "2026-11-30"],
    ["12m", "2025-12-01", "2026-11-30"],
    ["this-month", "2026-11-01", "2026-11-30"],
    ["last-month", "2026-10-01", "2026-10-31"],
    ["this-year", "2026-01-01", "2026-11-30"],
    ["last-year", "2025-01-01", "2025-12-31"],
    ["5y", "2022-01-01", "2026-11-30"],
    ["all", null, null],
  ] as const)("%s, both ends included", (preset, from, to) => {
    expect(daysOf(preset, "2026-11-30")).toEqual([from, to]);
  });

  test.each([
    ["7d", 7],
    ["30d", 30],
    ["90d", 90],
  ] as const)("%s has so many days across a change of daylight saving time", (preset, count) => {
    for (const today of ["2026-03-09", "2026-11-02"]) {
      const { from, to } = presetWindow(preset, "America/New_York", today);
      expect(daysBetween(from ?? "", to ?? "") + 1).toBe(count);
    }
  });

  test.each([
    ["this-month", "2028-02-29"],
    ["this-year", "2028-12-31"],
    ["30d", "2028-02-10"],
  ] as const)("%s to its end", (preset, to) => {
    expect(toItsEnd(presetWindow(preset, "UTC", "2028-02-10")).to).toBe(to);
  });

  test("weeks start on Monday in every language", () => {
    // A Sunday is the last day of its week.
    expect(daysOf("12w", "2026-11-29")).toEqual(["2026-09-07", "2026-11-29"]);
    expect(daysOf("12w", "2026-12-01")).toEqual(["2026-09-14", "2026-12-01"]);
  });

  test("months and years of different lengths", () => {
    expect(daysOf("last-month", "2028-03-31")).toEqual(["2028-02-01", "2028-02-29"]);
    expect(daysOf("last-month", "2027-01-31")).toEqual(["2026-12-01", "2026-12-31"]);
    expect(daysOf("last-year", "2028-02-29")).toEqual(["2027-01-01", "2027-12-31"]);
    expect(daysOf("12m", "2028-02-29")).toEqual(["2027-03-01", "2028-02-29"]);
    expect(daysOf("this-month", "2026-11-01")).toEqual(["2026-11-01", "2026-11-01"]);
  });

  test("no preset ends after today or starts after its end", () => {
    for (const today of ["2024-02-29", "2026-01-01", "2026-12-31"]) {
      for (const preset of PRESETS.filter((each) => each !== "all")) {
        const [from, to] = daysOf(preset, today);
        expect(parseDate(from ?? "").compare(parseDate(to ?? ""))).toBeLessThanOrEqual(0);
        expect((to ?? "") <= today).toBe(true);
      }
    }
  });

  test("a window keeps its zone and today", () => {
    const window = presetWindow("7d", "Europe/Berlin", "2026-11-30");
    expect(window).toMatchObject({ preset: "7d", zone: "Europe/Berlin", today: "2026-11-30" });
  });
});

describe("chosen days", () => {
  test("two days in either order are the same window", () => {
    const window = customWindow("2026-11-01", "2026-11-05", "UTC", "2026-11-30");
    expect(window).toMatchObject({ preset: "custom", from: "2026-11-01", to: "2026-11-05" });
    expect(customWindow("2026-11-05", "2026-11-01", "UTC", "2026-11-30")).toEqual(window);
  });

  test("one day is a window, also in the future", () => {
    const { from, to } = customWindow("2027-01-01", "2027-01-01", "UTC", "2026-11-30");
    expect([from, to]).toEqual(["2027-01-01", "2027-01-01"]);
  });

  test.each([FIRST_DAY, LAST_DAY, "2028-02-29"])("%s is a day", (text) => {
    expect(isDay(text)).toBe(true);
  });

  test.each([
    null,
    "",
    "2026-02-29",
    "2026-13-01",
    "2026-11-31",
    "2026-1-1",
    "1999-12-31",
    "2101-01-01",
    "2026-11-01T00:00:00Z",
  ])("%s is no day", (text) => {
    expect(isDay(text)).toBe(false);
  });

  test("a preset is known by its name alone", () => {
    expect(PRESETS.every(isPreset)).toBe(true);
    expect([null, "", "custom", "8d", "toString"].some(isPreset)).toBe(false);
  });
});
