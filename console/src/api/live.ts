// The one WebSocket and its health. It reconnects for as long as a subscription needs it; each
// subscription then starts with the current state, so that nothing stays missed.

import { createClient, type Sink, type SubscribePayload } from "graphql-ws";
import { backoff } from "./backoff";
import { connectionState, type LiveState, notifyReconnect, setConnectionState } from "./live-state";
import { currentToken } from "./session";
import { subscribeWithRetry } from "./subscribe-with-retry";

const NORMAL = 1000;
const FORBIDDEN = 4403;
const UNAUTHORIZED = 4401;
const TOO_MANY = 4429;
const TIMEOUT = 4408;
const PING_MS = 10_000;
const PONG_MS = 5_000;
/** How long a socket stays open between one account's subscriptions and the next one's. */
const IDLE_MS = 1_000;

function lostState(): LiveState {
  return navigator.onLine ? "reconnecting" : "offline";
}

/** Whether the gateway has acknowledged the current socket. */
let isAcknowledged = false;

addEventListener("offline", () => {
  if (connectionState() !== "connecting") setConnectionState("offline");
});

// A short loss of the network does not end a connection; the next ping notices a long one.
addEventListener("online", () => {
  if (connectionState() !== "offline") return;
  setConnectionState(isAcknowledged ? "live" : "reconnecting");
  if (isAcknowledged) notifyReconnect();
});

let connections = 0;

export function connect(onExpired: () => void) {
  connections += 1;
  const own = connections;
  // After another person has signed in, this connection no longer sets the state.
  const isCurrent = () => own === connections;
  let pong: ReturnType<typeof setTimeout> | undefined;
  let socket: WebSocket | null = null;
  let token: string | null = null;
  let hasLost = false;
  let isDisposed = false;
  let failures = 0;
  // A token that ends while it is renewed closes the socket; the next socket sends the new token.
  const isRefusal = (code: number | null) =>
    (code === UNAUTHORIZED || code === FORBIDDEN) && token === currentToken();
  const isFinal = (code: number | null) => code === TOO_MANY || isRefusal(code);
  setConnectionState("connecting");
  const client = createClient({
    url: `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/graphql`,
    connectionParams: () => {
      token = currentToken();
      return { Authorization: `Bearer ${token ?? ""}` };
    },
    keepAlive: PING_MS,
    retryAttempts: Number.POSITIVE_INFINITY,
    retryWait: backoff,
    lazyCloseTimeout: IDLE_MS,
    // A failure of the network is an Event. Any other would only repeat itself.
    shouldRetry: (event) => event instanceof Event && !isFinal(codeOf(event)),
    on: {
      opened: (opened) => {
        socket = opened as WebSocket;
      },
      connected: () => {
        failures = 0;
        if (!isCurrent()) return;
        isAcknowledged = true;
        setConnectionState("live");
        if (hasLost) notifyReconnect();
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
        hasLost = true;
        // The page was hidden, so nothing was subscribed. The next connection is like the first.
        if (code === NORMAL) return setConnectionState("connecting");
        if (isRefusal(code)) onExpired();
        setConnectionState(code === TOO_MANY ? "refused" : lostState());
      },
    },
  });
  return {
    subscribe: (payload: SubscribePayload, sink: Sink) =>
      subscribeWithRetry(
        client,
        payload,
        sink,
        (error) => {
          const isTemporary = error instanceof CloseEvent && !isFinal(error.code);
          return isTemporary ? backoff(failures) : null;
        },
        () => isDisposed,
      ),
    dispose: () => {
      isDisposed = true;
      return client.dispose();
    },
  };
}

function codeOf(event: unknown): number | null {
  return event instanceof CloseEvent ? event.code : null;
}
