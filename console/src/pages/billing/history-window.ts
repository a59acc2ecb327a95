import type { UsageInterval } from "../../api/generated/graphql";
import { daysBetween } from "../../util/time";
import { FIRST_DAY, type Window } from "../../util/window";
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

/** A window of the Billing tab, in as many buckets as can be read. All time begins at the first day. */
export function historyWindow(window: Window): HistoryWindow {
  const from = window.from ?? FIRST_DAY;
  const to = window.to ?? window.today;
  const days = daysBetween(from, to) + 1;
  const interval = INTERVALS.find((each) => days <= MOST_DAYS[each]) ?? "YEAR";
  return { interval, from, to, zone: window.zone, isLong: days > 366 };
}
