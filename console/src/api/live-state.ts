// The state of the live connection.

export type LiveState = "connecting" | "live" | "reconnecting" | "offline" | "refused";

let state: LiveState = "connecting";
/** Subscriptions that the gateway ended and that do not run again yet; each has a key of its own. */
const interrupted = new Set<object>();
const stateListeners = new Set<() => void>();
const reconnectListeners = new Set<() => void>();

/** `live` only while every subscription runs. */
export function liveState(): LiveState {
  return state === "live" && interrupted.size > 0 ? "reconnecting" : state;
}

export function onLiveState(listener: () => void): () => void {
  stateListeners.add(listener);
  return () => stateListeners.delete(listener);
}

/** Call back after each lost connection is back: changes may have been missed. */
export function onReconnect(listener: () => void): () => void {
  reconnectListeners.add(listener);
  return () => reconnectListeners.delete(listener);
}

export function notifyReconnect(): void {
  for (const listener of reconnectListeners) listener();
}

/** The connection's own state, whether or not its subscriptions run. */
export function connectionState(): LiveState {
  return state;
}

export function setConnectionState(next: LiveState): void {
  change(() => {
    state = next;
  });
}

/** Apply a change, and notify the listeners if the live state is another one after it. */
function change(apply: () => void): void {
  const before = liveState();
  apply();
  if (liveState() === before) return;
  for (const listener of stateListeners) listener();
}

/** A subscription has ended and does not run again yet. */
export function interrupt(subscription: object): void {
  change(() => interrupted.add(subscription));
}

/** A subscription runs again, or is no longer wanted. */
export function resume(subscription: object): void {
  change(() => interrupted.delete(subscription));
}

export function isInterrupted(subscription: object): boolean {
  return interrupted.has(subscription);
}
