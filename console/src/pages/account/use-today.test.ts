import { beforeEach, expect, it, vi } from "vitest";
import { onTime } from "./use-today";

beforeEach(() => {
  vi.useFakeTimers({ now: new Date("2026-11-30T23:59:52.500Z") });
  vi.stubGlobal("document", new EventTarget());
  return () => vi.useRealTimers();
});

it("checks the date when a day begins", () => {
  const instants: string[] = [];
  const stop = onTime(() => instants.push(new Date().toISOString()));
  vi.advanceTimersByTime(50_000);
  expect(instants).toEqual(["2026-12-01T00:00:00.000Z", "2026-12-01T00:00:30.000Z"]);
  stop();
  vi.advanceTimersByTime(50_000);
  expect(instants).toHaveLength(2);
});
