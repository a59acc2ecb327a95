// The window of days that every figure of a view is of: two calendar dates in a zone, both inclusive.

import {
  type CalendarDate,
  endOfMonth,
  endOfYear,
  parseDate,
  startOfMonth,
  startOfWeek,
  startOfYear,
} from "@internationalized/date";

export const PRESETS = [
  "7d",
  "30d",
  "90d",
  "12w",
  "12m",
  "this-month",
  "last-month",
  "this-year",
  "last-year",
  "5y",
  "all",
] as const;

export type Preset = (typeof PRESETS)[number];

/** `from` and `to` are null for all time. */
export type Window = {
  preset: Preset | "custom";
  from: string | null;
  to: string | null;
  zone: string;
  /** The current date in the zone. */
  today: string;
};

/** The first and last day that the gateway accepts. */
export const FIRST_DAY = "2000-01-01";
export const LAST_DAY = "2100-12-31";

export function isPreset(text: string | null): text is Preset {
  return PRESETS.includes(text as Preset);
}

export function isDay(text: string | null): text is string {
  if (text === null || !/^\d{4}-\d\d-\d\d$/.test(text) || text < FIRST_DAY || text > LAST_DAY) {
    return false;
  }
  try {
    return parseDate(text).toString() === text;
  } catch {
    return false;
  }
}

export function presetWindow(preset: Preset, zone: string, today: string): Window {
  const [from, to] = datesOf(preset, parseDate(today));
  return { preset, from: from?.toString() ?? null, to: to?.toString() ?? null, zone, today };
}

/** A window with its whole month or year, days to come among them, where it is the current one. */
export function toItsEnd(window: Window): Window {
  const today = parseDate(window.today);
  if (window.preset === "this-month") return { ...window, to: endOfMonth(today).toString() };
  if (window.preset === "this-year") return { ...window, to: endOfYear(today).toString() };
  return window;
}

export function customWindow(from: string, to: string, zone: string, today: string): Window {
  const days = from <= to ? { from, to } : { from: to, to: from };
  return { preset: "custom", ...days, zone, today };
}

function datesOf(preset: Preset, today: CalendarDate): [CalendarDate, CalendarDate] | [null, null] {
  switch (preset) {
    case "7d":
      return [today.subtract({ days: 6 }), today];
    case "30d":
      return [today.subtract({ days: 29 }), today];
    case "90d":
      return [today.subtract({ days: 89 }), today];
    case "12w":
      return [startOfWeek(today.subtract({ weeks: 11 }), "und", "mon"), today];
    case "12m":
      return [startOfMonth(today.subtract({ months: 11 })), today];
    case "this-month":
      return [startOfMonth(today), today];
    case "last-month": {
      const month = today.subtract({ months: 1 });
      return [startOfMonth(month), endOfMonth(month)];
    }
    case "this-year":
      return [startOfYear(today), today];
    case "last-year": {
      const year = today.subtract({ years: 1 });
      return [startOfYear(year), endOfYear(year)];
    }
    case "5y":
      return [startOfYear(today.subtract({ years: 4 })), today];
    case "all":
      return [null, null];
  }
}
