import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { makeThrottle } from "./throttle";
import { onHidden } from "./visibility";

/** A document that is visible or hidden. */
class Page extends EventTarget {
  visibilityState = "visible";

  show(state: "visible" | "hidden") {
    this.visibilityState = state;
    this.dispatchEvent(new Event("visibilitychange"));
  }
}

let page: Page;

beforeEach(() => {
  page = new Page();
  vi.useFakeTimers();
  vi.stubGlobal("document", page);
  vi.spyOn(Math, "random").mockReturnValue(0);
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("a throttle", () => {
  const times = { delay: 500, interval: 30_000 };

  test("requests in a row share one run", () => {
    const run = vi.fn();
    const throttle = makeThrottle(run, times);
    throttle.request();
    vi.advanceTimersByTime(400);
    throttle.request();
    vi.advanceTimersByTime(99);
    expect(run).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(run).toHaveBeenCalledTimes(1);
  });

  test("the next run waits for the interval", () => {
    const run = vi.fn();
    const throttle = makeThrottle(run, times);
    throttle.request();
    vi.advanceTimersByTime(500);
    throttle.request();
    vi.advanceTimersByTime(29_999);
    expect(run).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(1);
    expect(run).toHaveBeenCalledTimes(2);
  });

  test("a hidden page runs nothing, and at once when it is visible", () => {
    const run = vi.fn();
    const throttle = makeThrottle(run, times);
    throttle.request();
    page.show("hidden");
    vi.advanceTimersByTime(3_600_000);
    expect(run).not.toHaveBeenCalled();
    page.show("visible");
    expect(run).toHaveBeenCalledTimes(1);
    page.show("hidden");
    page.show("visible");
    expect(run).toHaveBeenCalledTimes(1);
  });

  test("a request of a hidden page waits until it is visible", () => {
    const run = vi.fn();
    page.show("hidden");
    makeThrottle(run, times).request();
    vi.advanceTimersByTime(3_600_000);
    expect(run).not.toHaveBeenCalled();
    page.show("visible");
    expect(run).toHaveBeenCalledTimes(1);
  });

  test("a cancelled request does not run", () => {
    const run = vi.fn();
    const throttle = makeThrottle(run, times);
    throttle.request();
    throttle.cancel();
    vi.advanceTimersByTime(60_000);
    page.show("visible");
    expect(run).not.toHaveBeenCalled();
  });
});

describe("a hidden page", () => {
  test("it sleeps after the wait and wakes when it is visible", () => {
    const calls: string[] = [];
    const stop = onHidden(
      60_000,
      () => calls.push("sleep"),
      () => calls.push("wake"),
    );
    page.show("hidden");
    vi.advanceTimersByTime(59_999);
    page.show("visible");
    expect(calls).toEqual([]);
    page.show("hidden");
    vi.advanceTimersByTime(60_000);
    expect(calls).toEqual(["sleep"]);
    page.show("visible");
    expect(calls).toEqual(["sleep", "wake"]);
    stop();
    page.show("hidden");
    vi.advanceTimersByTime(60_000);
    expect(calls).toEqual(["sleep", "wake"]);
  });
});
