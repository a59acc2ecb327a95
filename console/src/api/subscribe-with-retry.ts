import type { Client, Sink, SubscribePayload } from "graphql-ws";
import { onHidden } from "../util/visibility";
import { backoff } from "./backoff";
import { interrupt, isInterrupted, notifyReconnect, resume } from "./live-state";

const QUIET_MS = 5_000;

/** How long a hidden page stays subscribed. */
const HIDDEN_MS = 60_000;

/**
 * Subscribe, and subscribe again after each end. While the page is hidden nothing is subscribed.
 *
 * - The socket closed with a temporary error, on which the client gives up: again after the wait that
 *   `waitAfter` returns; null means that the error is final.
 * - The gateway ended this subscription alone, with or without an error: again after a growing wait,
 *   because a removed member may be added again. Until it runs, the page is not live.
 */
export function subscribeWithRetry(
  client: Client,
  payload: SubscribePayload,
  sink: Sink,
  waitAfter: (error: unknown) => Promise<void> | null,
  isDisposed: () => boolean,
): () => void {
  const subscription = {};
  let hasStopped = false;
  let isAsleep = false;
  let ends = 0;
  /** Ends the subscription that runs; null where none does. */
  let end: (() => void) | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const startLater = () => {
    interrupt(subscription);
    void backoff(ends++).then(start);
  };
  const onRunning = () => {
    clearTimeout(timer);
    ends = 0;
    if (!isInterrupted(subscription)) return;
    resume(subscription);
    notifyReconnect();
  };
  const start = () => {
    if (hasStopped || isAsleep || end || isDisposed()) return;
    // A subscription without a first event counts as running if the gateway does not end it soon.
    if (isInterrupted(subscription)) timer = setTimeout(onRunning, QUIET_MS);
    let release = () => {};
    // Messages of a subscription that was ended here are ignored.
    const isOwn = () => end === own;
    const own = () => release();
    end = own;
    const ended = () => {
      clearTimeout(timer);
      end = null;
    };
    release = client.subscribe(payload, {
      next: (value) => {
        if (!isOwn()) return;
        onRunning();
        sink.next(value);
      },
      error: (error) => {
        if (!isOwn()) return;
        ended();
        const wait = waitAfter(error);
        if (wait) void wait.then(start);
        else if (Array.isArray(error)) startLater();
        else {
          hasStopped = true;
          sink.error(error);
        }
      },
      complete: () => {
        if (!isOwn()) return;
        ended();
        if (isDisposed()) sink.complete();
        else startLater();
      },
    });
  };
  const stop = () => {
    clearTimeout(timer);
    const running = end;
    end = null;
    running?.();
  };
  const stopWatching = onHidden(
    HIDDEN_MS,
    () => {
      isAsleep = true;
      stop();
    },
    () => {
      isAsleep = false;
      start();
    },
  );
  start();
  return () => {
    hasStopped = true;
    stopWatching();
    stop();
    resume(subscription);
    sink.complete();
  };
}
