// Instants and calendar dates for people. An instant is shown in a stated zone, never in the
// browser's by accident; a calendar date (`2026-11-01`) has no zone, and none moves it.

import { locale, perLocale } from "./locale";

const formats = new Map<string, Intl.DateTimeFormat>();

/** For what a program reads: digits and years as ISO's. */
const PLAIN = "en-u-ca-gregory-nu-latn";

/** In the locale of the page, where no other is given. */
function format(
  zone: string,
  options: Intl.DateTimeFormatOptions,
  inLocale = locale,
): Intl.DateTimeFormat {
  const key = `${zone} ${JSON.stringify(options)} ${inLocale}`;
  let made = formats.get(key);
  if (!made) {
    made = new Intl.DateTimeFormat(inLocale, { timeZone: zone, ...options });
    formats.set(key, made);
  }
  return made;
}

const DAY: Intl.DateTimeFormatOptions = { day: "numeric", month: "short", year: "numeric" };

/** `2:05 AM`, and `02:05` where the day has 24 hours. */
const time = perLocale((of): Intl.DateTimeFormatOptions => {
  const { hour12 } = new Intl.DateTimeFormat(of, { hour: "numeric" }).resolvedOptions();
  return { hour: hour12 ? "numeric" : "2-digit", minute: "2-digit" };
});

export function formatDay(instant: string, zone: string): string {
  return format(zone, DAY).format(new Date(instant));
}

export function formatTime(instant: string, zone: string): string {
  return format(zone, time()).format(new Date(instant));
}

export function formatTimeWithSeconds(instant: string, zone: string): string {
  return format(zone, { ...time(), second: "2-digit" }).format(new Date(instant));
}

/** Everything about an instant, its zone included. */
export function formatInstant(instant: string, zone: string): string {
  const options = { ...DAY, ...time(), second: "2-digit", timeZoneName: "short" } as const;
  return format(zone, options).format(new Date(instant));
}

function atNoon(date: string): Date {
  return new Date(`${date}T12:00:00Z`);
}

export function formatDate(date: string): string {
  return format("UTC", DAY).format(atNoon(date));
}

/** `30 Apr – 17 May 2027`: what the two have in common is said once. */
export function formatDateRange(from: string, to: string): string {
  return format("UTC", DAY).formatRange(atNoon(from), atNoon(to));
}

/** For where there are many: `5 Nov`, or `5 Nov 26` where years must be told apart. */
export function formatShortDate(date: string, withYear: boolean): string {
  const year = withYear ? ({ year: "2-digit" } as const) : {};
  return format("UTC", { day: "numeric", month: "short", ...year }).format(atNoon(date));
}

export function formatWeekdayDate(date: string): string {
  return format("UTC", { weekday: "short", ...DAY }).format(atNoon(date));
}

export function formatMonth(date: string, month: "long" | "short" = "long"): string {
  return format("UTC", { month, year: "numeric" }).format(atNoon(date));
}

export function formatYear(date: string): string {
  return format("UTC", { year: "numeric" }).format(atNoon(date));
}

/** The calendar date of an instant in a zone, as `YYYY-MM-DD`. */
export function dateIn(zone: string, instant: Date = new Date()): string {
  const options = { year: "numeric", month: "2-digit", day: "2-digit" } as const;
  const parts = format(zone, options, PLAIN).formatToParts(instant);
  const part = (type: string) => parts.find((each) => each.type === type)?.value ?? "";
  return `${part("year").padStart(4, "0")}-${part("month")}-${part("day")}`;
}

/** Whole days from one calendar date to another. */
export function daysBetween(from: string, to: string): number {
  return Math.round((atNoon(to).getTime() - atNoon(from).getTime()) / 86_400_000);
}

/** `in 5 months`, by the largest unit of which there are two. */
export function formatDaysAhead(days: number): string {
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
  if (days < 14) return relative.format(days, "day");
  if (days < 60) return relative.format(Math.round(days / 7), "week");
  if (days < 730) return relative.format(Math.round(days / 30.44), "month");
  return relative.format(Math.round(days / 365.25), "year");
}

/** `UTC+2` for a zone, now. */
export function formatOffset(zone: string): string {
  const parts = format(zone, { timeZoneName: "shortOffset" }, PLAIN).formatToParts(new Date());
  return (parts.find((each) => each.type === "timeZoneName")?.value ?? "").replace("GMT", "UTC");
}

/** `UTC+2` for a zone, now, and what else that is written like. */
export function offsetNames(zone: string): string[] {
  const offset = formatOffset(zone);
  return [offset, offset.replace("UTC", "GMT")];
}

/** What a language calls a zone's time in winter and in summer, short and in full. */
export function timeZoneNames(zone: string, inLocale: string): string[] {
  const year = new Date().getUTCFullYear();
  const seasons = [new Date(Date.UTC(year, 0, 15)), new Date(Date.UTC(year, 6, 15))];
  const names = (["short", "long"] as const).flatMap((timeZoneName) => {
    // Not kept: there are hundreds of them, for once.
    const named = new Intl.DateTimeFormat(inLocale, { timeZone: zone, timeZoneName });
    return seasons.flatMap((day) =>
      named.formatToParts(day).flatMap(({ type, value }) => (type === "timeZoneName" ? value : [])),
    );
  });
  return [...new Set(names)].filter((name) => !/^(GMT|UTC)[+-−]/.test(name));
}

/** A zone as the gateway spells it; null for what is none, and for what the gateway does not take. */
export function timeZoneNamed(name: string): string | null {
  try {
    const { timeZone } = format(name, DAY).resolvedOptions();
    return NOT_TAKEN.test(timeZone) ? null : (RENAMED[timeZone] ?? timeZone);
  } catch {
    return null;
  }
}

// Offsets, a machine's zone before it is set, and zones that the IANA database has given up.
const NOT_TAKEN = /^([+-]|Factory$|Etc\/Unknown$|SystemV\/)/;

// Browsers list some zones by names that they no longer have.
const RENAMED: Record<string, string> = {
  "Africa/Asmera": "Africa/Asmara",
  "America/Buenos_Aires": "America/Argentina/Buenos_Aires",
  "America/Godthab": "America/Nuuk",
  "America/Indianapolis": "America/Indiana/Indianapolis",
  "America/Louisville": "America/Kentucky/Louisville",
  "Asia/Calcutta": "Asia/Kolkata",
  "Asia/Katmandu": "Asia/Kathmandu",
  "Asia/Rangoon": "Asia/Yangon",
  "Asia/Saigon": "Asia/Ho_Chi_Minh",
  "Atlantic/Faeroe": "Atlantic/Faroe",
  "Europe/Kiev": "Europe/Kyiv",
  "Pacific/Enderbury": "Pacific/Kanton",
  "Pacific/Ponape": "Pacific/Pohnpei",
  "Pacific/Truk": "Pacific/Chuuk",
};

export function timeZones(): string[] {
  const names = Intl.supportedValuesOf("timeZone").map((name) => RENAMED[name] ?? name);
  return [...new Set(["UTC", ...names])].sort();
}
