// The labels of calendar buckets, from their start and end in the zone of the request.

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

/** The first and the last day of a bucket. */
export function daysOf({ start, end }: Bucket, zone: string): { from: string; to: string } {
  return {
    from: dateIn(zone, new Date(start)),
    // The end is the start of the next bucket.
    to: dateIn(zone, new Date(new Date(end).getTime() - 1)),
  };
}

/** A full label: the month or year, or the days where the window cuts the bucket. */
export function bucketLabel(bucket: Bucket, interval: UsageInterval, zone: string): string {
  const { from, to } = daysOf(bucket, zone);
  if (from === to) return formatWeekdayDate(from);
  if (interval === "MONTH" && isWholeMonth(from, to)) return formatMonth(from);
  if (interval === "YEAR" && from.endsWith("-01-01") && to.endsWith("-12-31")) {
    return formatYear(from);
  }
  return formatDateRange(from, to);
}

/** A short label for an axis; `withYear` for windows that contain a date of two years. */
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
