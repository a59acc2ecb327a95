import type { Client, Sink, SubscribePayload } from "graphql-ws";
import { interrupt, isInterrupted, resume, tellReturned } from "./live-state";
import { patience } from "./patience";

const QUIET_MS = 5_000;

/**
 * Subscribe, and again after what `waitFor` returns. The client gives up at some codes of a closed
 * socket that pass by: a proxy's or a server's own fault is over when it has started again.
 *
 * A subscription that the gateway ends alone, with an error or without, is begun again too: a member
 * who was removed may be back. Until it runs, nothing is live.
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
  let ends = 0;
  let leave: () => void;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const joinAgain = () => {
    clearTimeout(timer);
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
    if (hasLeft || isDisposed()) return;
    // A subscription that begins with no event runs where the gateway does not end it again.
    if (isInterrupted(mark)) timer = setTimeout(runs, QUIET_MS);
    leave = client.subscribe(payload, {
      next: (value) => {
        runs();
        sink.next(value);
      },
      error: (error) => {
        const wait = hasLeft ? null : waitFor(error);
        if (wait) void wait.then(join);
        else if (Array.isArray(error) && !hasLeft) joinAgain();
        else sink.error(error);
      },
      complete: () => {
        if (hasLeft || isDisposed()) sink.complete();
        else joinAgain();
      },
    });
  };
  join();
  return () => {
    hasLeft = true;
    clearTimeout(timer);
    resume(mark);
    leave();
  };
}
