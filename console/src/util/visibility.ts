export function isVisible(): boolean {
  return document.visibilityState === "visible";
}

/**
 * Call `sleep` when the page has been hidden for `wait` milliseconds, and `wake` when it is visible
 * again. Returns how to stop.
 */
export function onHidden(wait: number, sleep: () => void, wake: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isAsleep = false;

  function onChange() {
    clearTimeout(timer);
    if (!isVisible()) {
      timer = setTimeout(() => {
        isAsleep = true;
        sleep();
      }, wait);
    } else if (isAsleep) {
      isAsleep = false;
      wake();
    }
  }

  document.addEventListener("visibilitychange", onChange);
  onChange();
  return () => {
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", onChange);
  };
}
