// The days, the zone and the interval of the Usage tab: one object behind its figures, its chart, its
// tables and its exports.

import type { UsageInterval } from "../../api/generated/graphql";
import { daysBetween } from "../../util/time";
import { PRESETS, type Preset, presetWindow, type Window } from "../../util/window";
import { useWindow } from "../account/account-window";
import { useView } from "../shared/navigation";
import { INTERVALS } from "../shared/view";

export type UsageWindow = Window & {
  from: string;
  to: string;
  interval: UsageInterval;
  /** By which others the same days could be shown. */
  possible: readonly UsageInterval[];
};

/** What is shown until days are chosen: as many intervals as a person looks back on. */
const DEFAULTS: Record<UsageInterval, Preset> = {
  DAY: "30d",
  WEEK: "12w",
  MONTH: "12m",
  YEAR: "5y",
};

/** The gateway gives no more buckets at once. */
const MOST_BUCKETS = 1100;
const SHORTEST_DAYS: Record<UsageInterval, number> = { DAY: 1, WEEK: 7, MONTH: 30, YEAR: 365 };

/** Up to how many days an interval is chosen by itself. */
const SUITS_DAYS: Record<UsageInterval, number> = { DAY: 100, WEEK: 200, MONTH: 2000, YEAR: 1e6 };

/** A usage window has an end on either side: there is no "all". */
export const USAGE_PRESETS = PRESETS.filter((preset) => preset !== "all");

export function useUsageWindow(): UsageWindow {
  const { interval: wanted, range } = useView();
  const fallback = DEFAULTS[wanted ?? "DAY"];
  const chosen = useWindow(fallback);
  const isChosen = range !== null && chosen.from !== null;
  const window = chosen.from ? chosen : presetWindow(fallback, chosen.zone, chosen.today);
  const { from, to } = window;
  if (!from || !to) throw new Error("the window has no ends");
  const days = { from, to };
  // Days that were not chosen are others by another interval.
  const possible = INTERVALS.filter((each) => !isChosen || isPossible(each, days));
  const interval = wanted && possible.includes(wanted) ? wanted : suited(days);
  return { ...window, ...days, interval, possible };
}

type Days = { from: string; to: string };

function suited(days: Days): UsageInterval {
  return INTERVALS.find((each) => lengthOf(days) <= SUITS_DAYS[each]) ?? "YEAR";
}

/** Whether days are few enough to be shown by an interval. */
function isPossible(interval: UsageInterval, days: Days): boolean {
  // Both ends may be cut.
  return (
    Math.ceil(lengthOf(days) / SHORTEST_DAYS[interval]) + 1 <= MOST_BUCKETS || interval === "YEAR"
  );
}

export function lengthOf({ from, to }: Days): number {
  return daysBetween(from, to) + 1;
}

/** The window's days that have begun; null if none has. */
export function begunDays({ from, to, today }: UsageWindow): Days | null {
  if (from > today) return null;
  return { from, to: to < today ? to : today };
}
