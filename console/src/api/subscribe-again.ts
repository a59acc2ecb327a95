import type { Client, Sink, SubscribePayload } from "graphql-ws";
import { onUnseen } from "../util/pace";
import { interrupt, isInterrupted, resume, tellReturned } from "./live-state";
import { patience } from "./patience";

const QUIET_MS = 5_000;

/** How long a page that nobody sees still listens. */
const UNSEEN_MS = 60_000;

/**
 * Subscribe, and again after what `waitFor` returns. The client gives up at some codes of a closed
 * socket that pass by: a proxy's or a server's own fault is over when it has started again.
 *
 * A subscription that the gateway ends alone, with an error or without, is begun again too: a member
 * who was removed may be back. Until it runs, nothing is live.
 *
 * While nobody sees the page, nobody listens; when it is seen again, the subscription begins again.
 */
export function subscribeAgain(
  client: Client,
  payload: SubscribePayload,
  sink: Sink,
  waitFor: (error: unknown) => Promise<void> | null,
  isDisposed: () => boolean,
): () => void {
  const mark = {};
  let hasLeft = false;
  let isAsleep = false;
  let ends = 0;
  /** Leaves the subscription that runs; null where none does. */
  let leave: (() => void) | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const joinAgain = () => {
    interrupt(mark);
    void patience(ends++).then(join);
  };
  const runs = () => {
    clearTimeout(timer);
    ends = 0;
    if (!isInterrupted(mark)) return;
    resume(mark);
    tellReturned();
  };
  const join = () => {
    if (hasLeft || isAsleep || leave || isDisposed()) return;
    // A subscription that begins with no event runs where the gateway does not end it again.
    if (isInterrupted(mark)) timer = setTimeout(runs, QUIET_MS);
    let release = () => {};
    // What is said of one that was left is of no concern.
    const isOwn = () => leave === own;
    const own = () => release();
    leave = own;
    const ended = () => {
      clearTimeout(timer);
      leave = null;
    };
    release = client.subscribe(payload, {
      next: (value) => {
        if (!isOwn()) return;
        runs();
        sink.next(value);
      },
      error: (error) => {
        if (!isOwn()) return;
        ended();
        const wait = waitFor(error);
        if (wait) void wait.then(join);
        else if (Array.isArray(error)) joinAgain();
        else {
          hasLeft = true;
          sink.error(error);
        }
      },
      complete: () => {
        if (!isOwn()) return;
        ended();
        if (isDisposed()) sink.complete();
        else joinAgain();
      },
    });
  };
  const stop = () => {
    clearTimeout(timer);
    const running = leave;
    leave = null;
    running?.();
  };
  const forget = onUnseen(
    UNSEEN_MS,
    () => {
      isAsleep = true;
      stop();
    },
    () => {
      isAsleep = false;
      join();
    },
  );
  join();
  return () => {
    hasLeft = true;
    forget();
    stop();
    resume(mark);
    sink.complete();
  };
}
