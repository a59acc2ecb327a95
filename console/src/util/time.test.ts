import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { plain, speak } from "../testing/language";
import {
  canonicalZone,
  dateIn,
  daysBetween,
  formatDate,
  formatDateRange,
  formatDay,
  formatDaysAhead,
  formatInstant,
  formatMonth,
  formatOffset,
  formatShortDate,
  formatTime,
  formatTimeWithSeconds,
  formatWeekdayDate,
  formatYear,
  offsetNames,
  timeZoneNames,
  timeZones,
} from "./time";

beforeEach(() => vi.useFakeTimers({ now: new Date("2026-07-01T12:00:00Z") }));

afterEach(() => vi.useRealTimers());

describe("instants", () => {
  test.each([
    ["UTC", "2026-03-01"],
    ["America/New_York", "2026-02-28"],
    ["Pacific/Kiritimati", "2026-03-01"],
    ["Pacific/Pago_Pago", "2026-02-28"],
  ])("the date in %s", (zone, date) => {
    expect(dateIn(zone, new Date("2026-03-01T04:30:00Z"))).toBe(date);
  });

  test("years keep four digits", () => {
    expect(dateIn("UTC", new Date("0999-12-31T12:00:00Z"))).toBe("0999-12-31");
  });

  test.each([
    // In New York, 02:00 becomes 03:00 on this day; both instants are an hour apart.
    ["2026-03-08T06:59:59Z", "1:59:59 AM", "EST"],
    ["2026-03-08T07:00:00Z", "3:00:00 AM", "EDT"],
    // And in November the hour from 01:00 comes twice.
    ["2026-11-01T05:30:00Z", "1:30:00 AM", "EDT"],
    ["2026-11-01T06:30:00Z", "1:30:00 AM", "EST"],
  ])("%s on a day of daylight saving time", (instant, time, zone) => {
    const text = plain(formatInstant(instant, "America/New_York"));
    expect(text).toContain(time);
    expect(text).toContain(zone);
  });

  test("the zone decides the day, not the machine", () => {
    const instant = "2026-12-31T23:30:00Z";
    expect(formatDay(instant, "UTC")).toBe("Dec 31, 2026");
    expect(formatDay(instant, "Europe/Berlin")).toBe("Jan 1, 2027");
    expect(plain(formatTime(instant, "Europe/Berlin"))).toBe("12:30 AM");
  });

  test("the clock has 12 or 24 hours by language and variety", () => {
    const instant = "2026-07-01T02:05:09Z";
    expect(plain(formatTimeWithSeconds(instant, "UTC"))).toBe("2:05:09 AM");
    speak("en", "en-GB");
    expect(formatTime(instant, "UTC")).toBe("02:05");
    speak("de", "de-DE");
    expect(formatTimeWithSeconds(instant, "UTC")).toBe("02:05:09");
  });
});

describe("calendar dates", () => {
  test("no zone moves a date", () => {
    expect(formatDate("2026-01-01")).toBe("Jan 1, 2026");
    expect(formatWeekdayDate("2026-11-01")).toBe("Sun, Nov 1, 2026");
    expect(formatMonth("2026-11-01")).toBe("November 2026");
    expect(formatMonth("2026-11-01", "short")).toBe("Nov 2026");
    expect(formatYear("2026-01-01")).toBe("2026");
    expect(formatShortDate("2026-01-01", false)).toBe("Jan 1");
    expect(formatShortDate("2026-01-01", true)).toBe("Jan 1, 26");
  });

  test("a range writes what both dates share once", () => {
    expect(plain(formatDateRange("2026-11-01", "2026-11-30"))).toBe("Nov 1 – 30, 2026");
    expect(plain(formatDateRange("2025-12-31", "2026-01-01"))).toBe("Dec 31, 2025 – Jan 1, 2026");
    speak("de", "de-DE");
    expect(plain(formatDateRange("2026-11-01", "2026-11-30"))).toBe("1.–30. Nov. 2026");
  });

  test("formats follow the variety of the language", () => {
    speak("en", "en-GB", "en-US");
    expect(formatDate("2026-11-01")).toBe("1 Nov 2026");
    speak("de", "de-AT");
    expect(formatMonth("2026-01-01")).toBe("Jänner 2026");
    // Words are English there, the calendar is the Gregorian one.
    speak("en", "th-TH");
    expect(formatYear("2026-01-01")).toBe("2026");
  });

  test.each([
    ["2026-03-01", "2026-03-01", 0],
    ["2026-02-28", "2026-03-01", 1],
    ["2028-02-28", "2028-03-01", 2],
    // Two days of daylight saving time, of 23 and of 25 hours, count as days.
    ["2026-03-07", "2026-03-09", 2],
    ["2026-01-01", "2026-12-31", 364],
    ["2026-03-01", "2026-02-28", -1],
  ])("from %s to %s", (from, to, days) => {
    expect(daysBetween(from, to)).toBe(days);
  });

  test.each([
    [0, "today"],
    [1, "tomorrow"],
    [13, "in 13 days"],
    [14, "in 2 weeks"],
    [59, "in 8 weeks"],
    [60, "in 2 months"],
    [729, "in 24 months"],
    [730, "in 2 years"],
  ])("%d days ahead", (days, text) => {
    expect(formatDaysAhead(days)).toBe(text);
  });

  test("days ahead in German", () => {
    speak("de", "de-DE");
    expect([0, 1, 60].map(formatDaysAhead)).toEqual(["heute", "morgen", "in 2 Monaten"]);
  });
});

describe("zones", () => {
  test("the offset is that of the current season", () => {
    expect(formatOffset("Europe/Berlin")).toBe("UTC+2");
    expect(formatOffset("Asia/Kathmandu")).toBe("UTC+5:45");
    expect(offsetNames("Europe/Berlin")).toEqual(["UTC+2", "GMT+2"]);
    vi.setSystemTime(new Date("2026-01-15T12:00:00Z"));
    expect(formatOffset("Europe/Berlin")).toBe("UTC+1");
  });

  test("a zone has names of winter and summer", () => {
    const names = timeZoneNames("Europe/Berlin", "en");
    expect(names).toContain("Central European Standard Time");
    expect(names).toContain("Central European Summer Time");
    expect(timeZoneNames("Europe/Berlin", "de")).toContain("MESZ");
    expect(timeZoneNames("Asia/Kathmandu", "en")).toEqual(["Nepal Time"]);
  });

  test.each([
    ["Europe/Berlin", "Europe/Berlin"],
    ["europe/berlin", "Europe/Berlin"],
    ["Asia/Calcutta", "Asia/Kolkata"],
    ["Europe/Kiev", "Europe/Kyiv"],
    ["UTC", "UTC"],
  ])("%s is spelled %s", (name, spelled) => {
    expect(canonicalZone(name)).toBe(spelled);
  });

  test.each(["", "Mars/Olympus", "+02:00", "-00:30", "Factory"])("%s is refused", (name) => {
    expect(canonicalZone(name)).toBeNull();
  });

  test("the list has each zone once, under its present name", () => {
    const zones = timeZones();
    expect(zones).toContain("UTC");
    expect(zones).toContain("Asia/Kolkata");
    expect(zones).not.toContain("Asia/Calcutta");
    expect(new Set(zones).size).toBe(zones.length);
    expect(zones.toSorted()).toEqual(zones);
    expect(zones.filter((each) => canonicalZone(each) !== each)).toEqual([]);
  });
});
