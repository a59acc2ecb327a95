// The one WebSocket, and what is known of its health. It reconnects by itself for as long as someone
// listens; after that each subscription begins with what was missed.

import { type Client, createClient, type Sink, type SubscribePayload } from "graphql-ws";
import { currentToken } from "./session";

export type LiveState = "connecting" | "live" | "reconnecting" | "offline" | "refused";

const NORMAL = 1000;
const FORBIDDEN = 4403;
const UNAUTHORIZED = 4401;
const TOO_MANY = 4429;
const TIMEOUT = 4408;
const PING_MS = 10_000;
const PONG_MS = 5_000;
const LONGEST_WAIT_MS = 10_000;
/** A socket outlives the moment between one account's subscriptions and the next one's. */
const IDLE_MS = 1_000;

let state: LiveState = "connecting";
const listeners = new Set<() => void>();
const returned = new Set<() => void>();

export function liveState(): LiveState {
  return state;
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

function tellReturned(): void {
  for (const listener of returned) listener();
}

function become(next: LiveState): void {
  if (next === state) return;
  state = next;
  for (const listener of listeners) listener();
}

function lost(): LiveState {
  return navigator.onLine ? "reconnecting" : "offline";
}

/** Resolve after a growing wait, or as soon as the network is back. */
function patience(retries: number): Promise<void> {
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

/** Whether the gateway has acknowledged the socket that is there. */
let isAcknowledged = false;

addEventListener("offline", () => {
  if (state !== "connecting") become("offline");
});

// A short loss of the network does not end a connection; a long one is noticed by the next ping.
addEventListener("online", () => {
  if (state !== "offline") return;
  become(isAcknowledged ? "live" : "reconnecting");
  if (isAcknowledged) tellReturned();
});

let connections = 0;

export function connect(onExpired: () => void) {
  connections += 1;
  const own = connections;
  // What becomes of a socket that another person's has replaced is nobody's concern.
  const isCurrent = () => own === connections;
  let pong: ReturnType<typeof setTimeout> | undefined;
  let socket: WebSocket | null = null;
  let token: string | null = null;
  let hasLost = false;
  let failures = 0;
  // A token that ends while it is renewed closes the socket; the next one is opened with the new one.
  const isRefusal = (code: number | null) =>
    (code === UNAUTHORIZED || code === FORBIDDEN) && token === currentToken();
  const isFinal = (code: number | null) => code === TOO_MANY || isRefusal(code);
  become("connecting");
  const client = createClient({
    url: `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/graphql`,
    connectionParams: () => {
      token = currentToken();
      return { Authorization: `Bearer ${token ?? ""}` };
    },
    keepAlive: PING_MS,
    retryAttempts: Number.POSITIVE_INFINITY,
    retryWait: patience,
    lazyCloseTimeout: IDLE_MS,
    // What failed here, rather than in the network, would only fail again.
    shouldRetry: (event) => event instanceof Event && !isFinal(codeOf(event)),
    on: {
      opened: (opened) => {
        socket = opened as WebSocket;
      },
      connected: () => {
        failures = 0;
        if (!isCurrent()) return;
        isAcknowledged = true;
        become("live");
        if (hasLost) tellReturned();
        hasLost = false;
      },
      ping: (received) => {
        if (!received) pong = setTimeout(() => socket?.close(TIMEOUT, "no pong"), PONG_MS);
      },
      pong: (received) => {
        if (received) clearTimeout(pong);
      },
      closed: (event) => {
        clearTimeout(pong);
        failures += 1;
        if (!isCurrent()) return;
        isAcknowledged = false;
        const code = codeOf(event);
        // Nobody listened any more.
        if (code === NORMAL) return;
        hasLost = true;
        if (isRefusal(code)) onExpired();
        become(code === TOO_MANY ? "refused" : lost());
      },
    },
  });
  return {
    subscribe: (payload: SubscribePayload, sink: Sink) =>
      subscribeAgain(client, payload, sink, (error) => {
        const isPassing = error instanceof CloseEvent && !isFinal(error.code);
        return isPassing ? patience(failures) : null;
      }),
    dispose: () => client.dispose(),
  };
}

/**
 * Subscribe, and again after what `waitFor` returns. The client gives up at some codes of a closed
 * socket that pass by: a proxy's or a server's own fault is over when it has started anew.
 */
function subscribeAgain(
  client: Client,
  payload: SubscribePayload,
  sink: Sink,
  waitFor: (error: unknown) => Promise<void> | null,
): () => void {
  let hasLeft = false;
  let leave: () => void;
  const join = () => {
    if (hasLeft) return;
    leave = client.subscribe(payload, {
      ...sink,
      error: (error) => {
        const wait = hasLeft ? null : waitFor(error);
        if (wait) void wait.then(join);
        else sink.error(error);
      },
    });
  };
  join();
  return () => {
    hasLeft = true;
    leave();
  };
}

function codeOf(event: unknown): number | null {
  return event instanceof CloseEvent ? event.code : null;
}
