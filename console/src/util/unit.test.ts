import { expect, test } from "vitest";
import { formatUnit } from "./unit";

test.each([
  ["gpu-hour", "GPU hours"],
  ["gib-hour", "GiB hours"],
  ["tib", "TiB"],
  ["kb", "kB"],
  ["ip-hour", "IP hours"],
  // Names of another form stay as they are.
  ["GPU-hour", "GPU-hour"],
  ["request", "request"],
  ["gib-hours", "gib-hours"],
  ["", ""],
])("%j reads as %j", (unit, text) => {
  expect(formatUnit(unit, (symbol) => `${symbol} hours`)).toBe(text);
});
