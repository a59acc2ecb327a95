// The pace at which a page reads again what has changed.

export type Pace = {
  /** Run soon, once for all who want it until then. */
  want: () => void;
  /** Forget what is wanted. */
  stop: () => void;
};

/**
 * Run `soon` milliseconds after it is wanted, and not again for `rest`. While nobody sees the page it
 * waits; when somebody does again, what is wanted runs at once.
 */
export function makePace(run: () => void, { soon, rest }: { soon: number; rest: number }): Pace {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let ranAt = Number.NEGATIVE_INFINITY;
  let isWanted = false;

  function stop() {
    isWanted = false;
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", look);
  }

  function now() {
    stop();
    ranAt = performance.now();
    run();
  }

  function look() {
    clearTimeout(timer);
    if (isSeen()) now();
  }

  function want() {
    if (isWanted) return;
    isWanted = true;
    document.addEventListener("visibilitychange", look);
    // Spread out, so that not all pages of an account ask in the same moment.
    const wait = soon * (1 + Math.random());
    if (isSeen()) timer = setTimeout(now, Math.max(wait, ranAt + rest - performance.now()));
  }

  return { want, stop };
}

/** Whether somebody may see the page. */
export function isSeen(): boolean {
  return document.visibilityState === "visible";
}

/** Call `sleep` when nobody has seen the page for `wait` milliseconds, and `wake` when it is seen again. */
export function onUnseen(wait: number, sleep: () => void, wake: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isAsleep = false;

  function look() {
    clearTimeout(timer);
    if (!isSeen()) {
      timer = setTimeout(() => {
        isAsleep = true;
        sleep();
      }, wait);
    } else if (isAsleep) {
      isAsleep = false;
      wake();
    }
  }

  document.addEventListener("visibilitychange", look);
  look();
  return () => {
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", look);
  };
}
