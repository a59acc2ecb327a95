// The one WebSocket, and what is known of its health. It reconnects by itself for as long as someone
// listens; after that each subscription begins with what was missed.

import { createClient, type Sink, type SubscribePayload } from "graphql-ws";
import { become, connectionState, type LiveState, tellReturned } from "./live-state";
import { patience } from "./patience";
import { currentToken } from "./session";
import { subscribeAgain } from "./subscribe-again";

const NORMAL = 1000;
const FORBIDDEN = 4403;
const UNAUTHORIZED = 4401;
const TOO_MANY = 4429;
const TIMEOUT = 4408;
const PING_MS = 10_000;
const PONG_MS = 5_000;
/** A socket outlives the moment between one account's subscriptions and the next one's. */
const IDLE_MS = 1_000;

function lost(): LiveState {
  return navigator.onLine ? "reconnecting" : "offline";
}

/** Whether the gateway has acknowledged the socket that is there. */
let isAcknowledged = false;

addEventListener("offline", () => {
  if (connectionState() !== "connecting") become("offline");
});

// A short loss of the network does not end a connection; a long one is noticed by the next ping.
addEventListener("online", () => {
  if (connectionState() !== "offline") return;
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
  let isDisposed = false;
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
        hasLost = true;
        // Nobody listened any more: the page was not seen. The next connection begins anew.
        if (code === NORMAL) return become("connecting");
        if (isRefusal(code)) onExpired();
        become(code === TOO_MANY ? "refused" : lost());
      },
    },
  });
  return {
    subscribe: (payload: SubscribePayload, sink: Sink) =>
      subscribeAgain(
        client,
        payload,
        sink,
        (error) => {
          const isPassing = error instanceof CloseEvent && !isFinal(error.code);
          return isPassing ? patience(failures) : null;
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
