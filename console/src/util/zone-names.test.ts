import { expect, test } from "vitest";
import { canonicalZone, timeZones } from "./time";
import { FORMER_NAMES, formerNames } from "./zone-names";

test("former names belong to zones of the list", () => {
  const zones = new Set(timeZones());
  expect(Object.keys(FORMER_NAMES).filter((zone) => !zones.has(zone))).toEqual([]);
  expect(Object.keys(FORMER_NAMES).filter((zone) => canonicalZone(zone) !== zone)).toEqual([]);
});

test("a zone without former names has none", () => {
  expect(formerNames("Asia/Kolkata")).toBe("Calcutta");
  expect(formerNames("Europe/Berlin")).toBe("");
});
