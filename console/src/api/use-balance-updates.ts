import { useEffect, useRef } from "react";
import { useSubscription } from "urql";
import { makePace, type Pace } from "../util/pace";
import { type BalanceCause, BalanceUpdatedDocument } from "./generated/graphql";

/** Meters may send all the time; figures of many days need not follow each of them. */
const PACE = { soon: 500, rest: 30_000 };

/**
 * Read again, not too often, when the balance has moved past the version that figures were read at.
 * `concerns` says which causes can have changed them.
 */
export function useBalanceUpdates(
  account: string,
  version: number | undefined,
  read: () => void,
  concerns: (cause: BalanceCause) => boolean,
): void {
  // The balance panel listens to the same subscription; the client makes one of both.
  const [{ data }] = useSubscription({ query: BalanceUpdatedDocument, variables: { account } });
  const update = data?.balanceUpdated;
  const latest = useRef({ read, concerns });
  latest.current = { read, concerns };
  const known = useRef(0);
  const pace = usePace(() => latest.current.read(), PACE);

  useEffect(() => {
    if (!update || version === undefined) return;
    known.current = Math.max(known.current, version);
    if (update.version <= known.current) return;
    // After a jump, any cause may be among those left out.
    const isNext = update.version === known.current + 1;
    if (isNext && !latest.current.concerns(update.cause)) known.current = update.version;
    else pace.want();
  }, [update, version, pace]);
}

/** A pace that stops with the component. */
export function usePace(run: () => void, times: { soon: number; rest: number }): Pace {
  const made = useRef<Pace>(null);
  made.current ??= makePace(run, times);
  const pace = made.current;
  useEffect(() => pace.stop, [pace]);
  return pace;
}
