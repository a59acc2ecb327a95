import { describe, expect, test } from "vitest";
import { speak } from "../../testing/language";
import { bucketLabel, bucketTick, daysOf } from "./bucket-label";

const NEW_YORK = "America/New_York";
// The days of the change to and from daylight saving time: 23 and 25 hours.
const SHORT = { start: "2026-03-08T05:00:00Z", end: "2026-03-09T04:00:00Z" };
const LONG = { start: "2026-11-01T04:00:00Z", end: "2026-11-02T05:00:00Z" };

describe("the days of a half-open bucket", () => {
  test("the end is not part of it", () => {
    expect(daysOf(SHORT, NEW_YORK)).toEqual({ from: "2026-03-08", to: "2026-03-08" });
    expect(daysOf(LONG, NEW_YORK)).toEqual({ from: "2026-11-01", to: "2026-11-01" });
    // In another zone than that of the request, the same bucket touches two days.
    expect(daysOf(LONG, "UTC")).toEqual({ from: "2026-11-01", to: "2026-11-02" });
  });
});

describe("labels", () => {
  const month = { start: "2026-11-01T04:00:00Z", end: "2026-12-01T05:00:00Z" };
  const cut = { start: "2026-11-10T05:00:00Z", end: "2026-12-01T05:00:00Z" };
  const year = { start: "2026-01-01T05:00:00Z", end: "2027-01-01T05:00:00Z" };

  test("a whole month or year has a name, a part of one its days", () => {
    expect(bucketLabel(LONG, "DAY", NEW_YORK)).toBe("Sun, Nov 1, 2026");
    expect(bucketLabel(month, "MONTH", NEW_YORK)).toBe("November 2026");
    expect(bucketLabel(cut, "MONTH", NEW_YORK)).toMatch(/^Nov 10\s–\s30, 2026$/);
    expect(bucketLabel(year, "YEAR", NEW_YORK)).toBe("2026");
  });

  test("a tick is short", () => {
    expect(bucketTick(LONG, "DAY", NEW_YORK, false)).toBe("Nov 1");
    expect(bucketTick(LONG, "WEEK", NEW_YORK, true)).toBe("Nov 1, 26");
    expect(bucketTick(month, "MONTH", NEW_YORK, true)).toBe("Nov 2026");
    expect(bucketTick(year, "YEAR", NEW_YORK, true)).toBe("2026");
    speak("de", "de-DE");
    expect(bucketTick(LONG, "DAY", NEW_YORK, false)).toBe("1. Nov.");
  });
});
