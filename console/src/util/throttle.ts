// Work that is requested often and runs seldom, and not at all while the page is hidden.

import { isVisible } from "./visibility";

export type Throttle = {
  /** Run soon; requests until then are answered by the same run. */
  request: () => void;
  /** Drop the request that waits. */
  cancel: () => void;
};

/**
 * Run `delay` to twice `delay` milliseconds after a request, and at most once in `interval`
 * milliseconds. While the page is hidden a request waits; it runs as soon as the page is visible.
 */
export function makeThrottle(
  run: () => void,
  { delay, interval }: { delay: number; interval: number },
): Throttle {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let ranAt = Number.NEGATIVE_INFINITY;
  let isRequested = false;

  function cancel() {
    isRequested = false;
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", onChange);
  }

  function runNow() {
    cancel();
    ranAt = performance.now();
    run();
  }

  function onChange() {
    clearTimeout(timer);
    if (isVisible()) runNow();
  }

  function request() {
    if (isRequested) return;
    isRequested = true;
    document.addEventListener("visibilitychange", onChange);
    // At random, so that the open pages of an account do not all send requests in the same moment.
    const wait = delay * (1 + Math.random());
    if (isVisible())
      timer = setTimeout(runNow, Math.max(wait, ranAt + interval - performance.now()));
  }

  return { request, cancel };
}
