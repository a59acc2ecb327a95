// What is known of the live connection, for whoever shows it.

export type LiveState = "connecting" | "live" | "reconnecting" | "offline" | "refused";

let state: LiveState = "connecting";
/** Subscriptions that the gateway ended and that have not begun again, by what marks each. */
const interrupted = new Set<object>();
const listeners = new Set<() => void>();
const returned = new Set<() => void>();

/** Live is only a connection whose subscriptions all run. */
export function liveState(): LiveState {
  return state === "live" && interrupted.size > 0 ? "reconnecting" : state;
}

export function onLiveState(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Call back after each lost connection has come back: something may have been missed. */
export function onReturn(listener: () => void): () => void {
  returned.add(listener);
  return () => returned.delete(listener);
}

export function tellReturned(): void {
  for (const listener of returned) listener();
}

export function become(next: LiveState): void {
  change(() => {
    state = next;
  });
}

/** Change the connection's state or the interrupted subscriptions, and say so where it shows. */
function change(apply: () => void): void {
  const before = liveState();
  apply();
  if (liveState() === before) return;
  for (const listener of listeners) listener();
}

/** Say that a subscription has ended and has not begun again; `mark` is its own. */
export function interrupt(mark: object): void {
  change(() => interrupted.add(mark));
}

/** Say that a subscription runs again, or that nobody wants it any more. */
export function resume(mark: object): void {
  change(() => interrupted.delete(mark));
}

/** Whether a subscription has ended and has not begun again. */
export function isInterrupted(mark: object): boolean {
  return interrupted.has(mark);
}

/** The connection's own state, whatever its subscriptions do. */
export function connectionState(): LiveState {
  return state;
}
