// What a calendar bucket is called, from its own instants in the zone that they were asked for.

import { endOfMonth, parseDate } from "@internationalized/date";
import type { UsageInterval } from "../../api/generated/graphql";
import {
  dateIn,
  formatDateRange,
  formatMonth,
  formatShortDate,
  formatWeekdayDate,
  formatYear,
} from "../../util/time";

type Bucket = { start: string; end: string };

/** Its first and its last day. */
export function daysOf({ start, end }: Bucket, zone: string): { from: string; to: string } {
  return {
    from: dateIn(zone, new Date(start)),
    // The end is where the next one begins.
    to: dateIn(zone, new Date(new Date(end).getTime() - 1)),
  };
}

/** In full; one that the window cuts is called by its days. */
export function bucketLabel(bucket: Bucket, interval: UsageInterval, zone: string): string {
  const { from, to } = daysOf(bucket, zone);
  if (from === to) return formatWeekdayDate(from);
  if (interval === "MONTH" && isWholeMonth(from, to)) return formatMonth(from);
  if (interval === "YEAR" && from.endsWith("-01-01") && to.endsWith("-12-31")) {
    return formatYear(from);
  }
  return formatDateRange(from, to);
}

/** Short, for an axis; `withYear` where the window has a day and a month more than once. */
export function bucketTick(
  bucket: Bucket,
  interval: UsageInterval,
  zone: string,
  withYear: boolean,
): string {
  const { from } = daysOf(bucket, zone);
  if (interval === "YEAR") return formatYear(from);
  if (interval === "MONTH") return formatMonth(from, "short");
  return formatShortDate(from, withYear);
}

function isWholeMonth(from: string, to: string): boolean {
  return from.endsWith("-01") && endOfMonth(parseDate(from)).toString() === to;
}
