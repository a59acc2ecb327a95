import { expect, test } from "vitest";
import { secondsUntilRenewal } from "./renewal";

test.each([
  [3600, 3540],
  [300, 240],
  // A short life is renewed when a fifth of it is left.
  [60, 48],
  [10, 8],
  // However short it is, not more often than every five seconds.
  [3, 5],
  [0, 5],
])("a token of %d seconds is renewed after %d", (lifetime, seconds) => {
  expect(secondsUntilRenewal(lifetime)).toBe(seconds);
});
