import { parseDate } from "@internationalized/date";
import type { UsageInterval } from "../../api/generated/graphql";
import { daysBetween } from "../../util/time";
import { FIRST_DAY, type Window } from "../../util/window";
import type { AccountFacts } from "../account-window";
import { INTERVALS } from "../view";

export type HistoryWindow = {
  interval: UsageInterval;
  from: string;
  to: string;
  zone: string;
  /** Whether a day and a month may be there more than once. */
  isLong: boolean;
};

/**
 * Up to how many days are shown by each: so many bars can be told apart, and the gateway gives so many
 * months at once.
 */
const MOST_DAYS: Record<UsageInterval, number> = { DAY: 92, WEEK: 190, MONTH: 33_000, YEAR: 1e6 };

/** A window of the Billing tab, in as many buckets as can be read. All time begins with the account. */
export function historyWindow(window: Window, { firstDay, timeZone }: AccountFacts): HistoryWindow {
  const from = window.from ?? (window.zone === timeZone ? firstDay : dayBefore(firstDay));
  const to = window.to ?? window.today;
  const days = daysBetween(from, to) + 1;
  const interval = INTERVALS.find((each) => days <= MOST_DAYS[each]) ?? "YEAR";
  return { interval, from, to, zone: window.zone, isLong: days > 366 };
}

/** In another zone, the account may have begun a day earlier. */
function dayBefore(day: string): string {
  return day > FIRST_DAY ? parseDate(day).subtract({ days: 1 }).toString() : day;
}
