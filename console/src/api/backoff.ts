const LONGEST_WAIT_MS = 10_000;

/** Resolve after a wait that grows with each retry, or as soon as the network is back. */
export function backoff(retries: number): Promise<void> {
  const longest = Math.min(LONGEST_WAIT_MS, 500 * 2 ** retries);
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener("online", done);
      resolve();
    };
    // At random, so that the open pages do not all return to a restarted gateway in the same moment.
    const timer = setTimeout(done, longest / 2 + Math.random() * (longest / 2));
    addEventListener("online", done);
  });
}
