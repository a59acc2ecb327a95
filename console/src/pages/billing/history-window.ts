import {
  type CalendarDate,
  parseDate,
  startOfMonth,
  startOfWeek,
  startOfYear,
} from "@internationalized/date";
import type { UsageInterval } from "../../api/generated/graphql";
import { daysBetween } from "../../util/time";
import { FIRST_DAY, type Window } from "../../util/window";
import type { AccountFacts } from "../account/account-window";
import { INTERVALS } from "../shared/view";

export type HistoryWindow = {
  interval: UsageInterval;
  from: string;
  to: string;
  zone: string;
  /** Whether the window can contain a date of two years. */
  isLong: boolean;
};

/**
 * The most days of each interval: more bars would be too thin, and the gateway returns no more months at
 * once.
 */
const MOST_DAYS: Record<UsageInterval, number> = { DAY: 92, WEEK: 190, MONTH: 33_000, YEAR: 1e6 };

/** A window of the Billing tab by a readable interval. "All time" starts with the account. */
export function historyWindow(window: Window, facts: AccountFacts): HistoryWindow {
  const first = parseDate(window.from ?? firstDayIn(window.zone, facts));
  const to = window.to ?? window.today;
  const days = daysBetween(first.toString(), to) + 1;
  const interval = INTERVALS.find((each) => days <= MOST_DAYS[each]) ?? "YEAR";
  // Where no first day was chosen, the first bucket is complete.
  const from = window.from === null ? startOf(interval, first) : first;
  return { interval, from: from.toString(), to, zone: window.zone, isLong: days > 366 };
}

const STARTS: Record<UsageInterval, (day: CalendarDate) => CalendarDate> = {
  DAY: (day) => day,
  WEEK: (day) => startOfWeek(day, "und", "mon"),
  MONTH: startOfMonth,
  YEAR: startOfYear,
};

function startOf(interval: UsageInterval, day: CalendarDate): CalendarDate {
  const start = STARTS[interval](day);
  const least = parseDate(FIRST_DAY);
  return start.compare(least) < 0 ? least : start;
}

/** In another zone than its own, the account may have started a day earlier. */
function firstDayIn(zone: string, { firstDay, timeZone }: AccountFacts): string {
  const isOwn = zone === timeZone || firstDay <= FIRST_DAY;
  return isOwn ? firstDay : parseDate(firstDay).subtract({ days: 1 }).toString();
}
