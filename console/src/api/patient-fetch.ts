// Requests that the gateway has throttled are sent again when it says.

const LONGEST_WAIT_MS = 60_000;
const MOST_TRIES = 3;

/** `fetch`, which waits after each response 429 for as long as the response says. */
export async function patientFetch(
  input: RequestInfo | URL,
  init?: RequestInit,
): Promise<Response> {
  for (let tries = 1; ; tries += 1) {
    const response = await fetch(input, init);
    const wait = response.status === 429 ? waitOf(response) : null;
    if (wait === null || tries === MOST_TRIES) return response;
    // At random, so that the open pages of a person do not all return in the same moment.
    await pause(wait + Math.random() * 500, init?.signal);
  }
}

/** Milliseconds to wait; null where that is unknown, or too long to wait for. */
function waitOf(response: Response): number | null {
  const wait = Number(response.headers.get("retry-after") || Number.NaN) * 1000;
  return wait >= 0 && wait <= LONGEST_WAIT_MS ? wait : null;
}

/** Resolve after a wait; reject as soon as the request is aborted. */
function pause(milliseconds: number, signal?: AbortSignal | null): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    }, milliseconds);
    signal?.addEventListener("abort", abort, { once: true });
  });
}
