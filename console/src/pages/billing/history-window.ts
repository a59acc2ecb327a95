import type { UsageInterval } from "../../api/generated/graphql";
import { dateIn, daysBetween } from "../../util/time";
import { FIRST_DAY, type Window } from "../../util/window";

export type HistoryWindow = {
  interval: UsageInterval;
  from: string;
  to: string;
  zone: string;
  /** Whether a day and a month may be there more than once. */
  isLong: boolean;
};

/** Up to how many days are shown by each; so many bars can be told apart. */
const MOST_DAYS = { DAY: 92, WEEK: 190 };

/** A window of the Billing tab, in as many buckets as can be read. All time begins at the first day. */
export function historyWindow(window: Window): HistoryWindow {
  const from = window.from ?? FIRST_DAY;
  const to = window.to ?? dateIn(window.zone);
  const days = daysBetween(from, to) + 1;
  const interval = days <= MOST_DAYS.DAY ? "DAY" : days <= MOST_DAYS.WEEK ? "WEEK" : "MONTH";
  return { interval, from, to, zone: window.zone, isLong: days > 366 };
}
