// Instants and calendar dates for people. An instant is shown in the zone that is given, never in the
// browser's; a calendar date (`2026-11-01`) has no zone, so that no zone moves it.

import { locale, perLocale } from "./locale";

const formats = new Map<string, Intl.DateTimeFormat>();

/** For text that a program reads: the digits and years of ISO 8601. */
const PLAIN = "en-u-ca-gregory-nu-latn";

function format(
  zone: string,
  options: Intl.DateTimeFormatOptions,
  inLocale = locale,
): Intl.DateTimeFormat {
  const key = `${zone} ${JSON.stringify(options)} ${inLocale}`;
  let known = formats.get(key);
  if (!known) {
    known = new Intl.DateTimeFormat(inLocale, { timeZone: zone, ...options });
    formats.set(key, known);
  }
  return known;
}

const DAY: Intl.DateTimeFormatOptions = { day: "numeric", month: "short", year: "numeric" };

/** `2:05 AM`, or `02:05` where the locale counts 24 hours. */
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

/** Day, time with seconds, and zone. */
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

/** `30 Apr – 17 May 2027`: parts that both dates share are written once. */
export function formatDateRange(from: string, to: string): string {
  return format("UTC", DAY).formatRange(atNoon(from), atNoon(to));
}

/** A label for one of many dates: `5 Nov`, or `5 Nov 26` with the year. */
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

/** `in 5 months`: in the largest unit that counts at least two. */
export function formatDaysAhead(days: number): string {
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
  if (days < 14) return relative.format(days, "day");
  if (days < 60) return relative.format(Math.round(days / 7), "week");
  if (days < 730) return relative.format(Math.round(days / 30.44), "month");
  return relative.format(Math.round(days / 365.25), "year");
}

/** A zone's offset now: `UTC+2`. */
export function formatOffset(zone: string): string {
  const parts = format(zone, { timeZoneName: "shortOffset" }, PLAIN).formatToParts(new Date());
  return (parts.find((each) => each.type === "timeZoneName")?.value ?? "").replace("GMT", "UTC");
}

/** The spellings of a zone's offset now: `UTC+2` and `GMT+2`. */
export function offsetNames(zone: string): string[] {
  const offset = formatOffset(zone);
  return [offset, offset.replace("UTC", "GMT")];
}

/** A zone's names in a language, short and long, in winter and in summer. */
export function timeZoneNames(zone: string, inLocale: string): string[] {
  const year = new Date().getUTCFullYear();
  const seasons = [new Date(Date.UTC(year, 0, 15)), new Date(Date.UTC(year, 6, 15))];
  const names = (["short", "long"] as const).flatMap((timeZoneName) => {
    // Not cached: hundreds of formats are each used once.
    const named = new Intl.DateTimeFormat(inLocale, { timeZone: zone, timeZoneName });
    return seasons.flatMap((day) =>
      named.formatToParts(day).flatMap(({ type, value }) => (type === "timeZoneName" ? value : [])),
    );
  });
  return [...new Set(names)].filter((name) => !/^(GMT|UTC)[+-−]/.test(name));
}

/** A zone's name as the gateway spells it; null where it is no zone, or none that the gateway accepts. */
export function canonicalZone(name: string): string | null {
  try {
    const { timeZone } = format(name, DAY).resolvedOptions();
    return REFUSED.test(timeZone) ? null : (RENAMED[timeZone] ?? timeZone);
  } catch {
    return null;
  }
}

// Offsets, the placeholder zones of a machine that has none set, and zones that IANA has dropped.
const REFUSED = /^([+-]|Factory$|Etc\/Unknown$|SystemV\/)/;

// Browsers list some zones by their former names.
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
