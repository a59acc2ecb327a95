import { describe, expect, test } from "vitest";
import { customWindow, presetWindow } from "../../util/window";
import { historyWindow } from "./history-window";

const TODAY = "2026-11-30";
const facts = (firstDay: string, timeZone = "Europe/Berlin") => ({
  id: "1",
  name: "Acme",
  currency: "EUR",
  timeZone,
  firstDay,
});
const allTime = (firstDay: string, zone = "Europe/Berlin") =>
  historyWindow(presetWindow("all", zone, TODAY), facts(firstDay));

describe("all time", () => {
  test.each([
    ["2026-11-30", "DAY", "2026-11-30"],
    ["2026-09-01", "DAY", "2026-09-01"],
    // The first bucket is a whole week or month.
    ["2026-08-01", "WEEK", "2026-07-27"],
    ["2024-05-17", "MONTH", "2024-05-01"],
    // No bucket starts before the first day that the gateway accepts.
    ["2000-01-01", "MONTH", "2000-01-01"],
  ])("of an account since %s is by %s", (firstDay, interval, from) => {
    expect(allTime(firstDay)).toMatchObject({ interval, from, to: TODAY });
  });

  test("it starts a day earlier in another zone than the account's", () => {
    expect(allTime("2026-09-10", "America/New_York").from).toBe("2026-09-09");
    expect(allTime("2000-01-01", "America/New_York").from).toBe("2000-01-01");
  });
});

test("chosen days are kept as they are", () => {
  const window = customWindow("2026-05-06", "2026-11-04", "Europe/Berlin", TODAY);
  const { interval, from, to, isLong } = historyWindow(window, facts("2020-01-01"));
  expect([interval, from, to, isLong]).toEqual(["WEEK", "2026-05-06", "2026-11-04", false]);
});
