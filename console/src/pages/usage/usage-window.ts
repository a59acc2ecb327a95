// The days, the zone and the interval of the Usage tab, for its figures, chart, tables and exports.

import { endOfMonth, parseDate } from "@internationalized/date";
import type { UsageInterval } from "../../api/generated/graphql";
import { daysBetween } from "../../util/time";
import { PRESETS, type Preset, presetWindow, toItsEnd, type Window } from "../../util/window";
import { useWindow } from "../account/account-window";
import { useView } from "../shared/navigation";
import { INTERVALS } from "../shared/view";

export type UsageWindow = Window & {
  from: string;
  to: string;
  interval: UsageInterval;
  /** The intervals that can show these days. */
  allowed: readonly UsageInterval[];
};

/** The window of each interval while no days are chosen. */
const DEFAULTS: Record<UsageInterval, Preset> = {
  DAY: "30d",
  WEEK: "12w",
  MONTH: "12m",
  YEAR: "5y",
};

/** The gateway returns no more buckets at once. */
const MOST_BUCKETS = 1100;
const SHORTEST_DAYS: Record<UsageInterval, number> = { DAY: 1, WEEK: 7, MONTH: 30, YEAR: 365 };

/** The most days for which an interval is the default. */
const DEFAULT_UP_TO: Record<UsageInterval, number> = {
  DAY: 100,
  WEEK: 200,
  MONTH: 2000,
  YEAR: 1e6,
};

/** A usage window has two ends: there is no "all". */
export const USAGE_PRESETS = PRESETS.filter((preset) => preset !== "all");

export function useUsageWindow(): UsageWindow {
  const { interval: wanted, range } = useView();
  const fallback = DEFAULTS[wanted ?? "DAY"];
  const chosen = toItsEnd(useWindow(fallback));
  const isChosen = range !== null && chosen.from !== null;
  const window = chosen.from ? chosen : presetWindow(fallback, chosen.zone, chosen.today);
  const { from, to } = window;
  if (!from || !to) throw new Error("the window has no ends");
  const days = { from, to };
  // Days that were not chosen change with the interval, so that each interval can show them.
  const allowed = INTERVALS.filter((each) => !isChosen || isAllowed(each, days));
  const interval = wanted && allowed.includes(wanted) ? wanted : defaultInterval(days);
  return { ...window, ...days, interval, allowed };
}

type Days = { from: string; to: string };

/** A window of given days by their default interval. */
export function windowOf(days: Days, zone: string, today: string): UsageWindow {
  const interval = defaultInterval(days);
  return { preset: "custom", ...days, zone, today, interval, allowed: [interval] };
}

function defaultInterval(days: Days): UsageInterval {
  return INTERVALS.find((each) => lengthOf(days) <= DEFAULT_UP_TO[each]) ?? "YEAR";
}

/** Whether an interval makes few enough buckets of the days. */
function isAllowed(interval: UsageInterval, days: Days): boolean {
  // The window may cut the first and the last bucket.
  return (
    Math.ceil(lengthOf(days) / SHORTEST_DAYS[interval]) + 1 <= MOST_BUCKETS || interval === "YEAR"
  );
}

export function lengthOf({ from, to }: Days): number {
  return daysBetween(from, to) + 1;
}

/** The days before a window, with as many buckets of its interval. */
export function previousDays({ from, to }: Days, interval: UsageInterval): Days {
  const [first, last] = [parseDate(from), parseDate(to)];
  if (interval === "DAY" || interval === "WEEK") {
    const length = lengthOf({ from, to });
    const days = interval === "DAY" ? length : Math.ceil(length / 7) * 7;
    return { from: first.subtract({ days }).toString(), to: last.subtract({ days }).toString() };
  }
  const months = (last.year - first.year) * 12 + last.month - first.month + 1;
  const by = interval === "MONTH" ? { months } : { years: last.year - first.year + 1 };
  const end = last.subtract(by);
  const isWhole = endOfMonth(last).compare(last) === 0;
  return {
    from: first.subtract(by).toString(),
    to: (isWhole ? endOfMonth(end) : end).toString(),
  };
}

/** The window's days up to today; null if it starts later. */
export function elapsedDays({ from, to, today }: UsageWindow): Days | null {
  if (from > today) return null;
  return { from, to: to < today ? to : today };
}
