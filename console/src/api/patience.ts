const LONGEST_WAIT_MS = 10_000;

/** Resolve after a growing wait, or as soon as the network is back. */
export function patience(retries: number): Promise<void> {
  const longest = Math.min(LONGEST_WAIT_MS, 500 * 2 ** retries);
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener("online", done);
      resolve();
    };
    // Spread out, so that not all pages come back to a restarted gateway at once.
    const timer = setTimeout(done, longest / 2 + Math.random() * (longest / 2));
    addEventListener("online", done);
  });
}
