import { useEffect, useRef } from "react";
import { useSubscription } from "urql";
import { makeThrottle, type Throttle } from "../util/throttle";
import { type BalanceCause, BalanceUpdatedDocument } from "./generated/graphql";

/** Meters may send usage all the time; figures of many days need not follow each event. */
const TIMES = { delay: 500, interval: 30_000 };

/**
 * Call `refresh`, not too often, when the balance is at a later version than the figures are.
 * `affects` says which causes can change the figures.
 */
export function useBalanceUpdates(
  account: string,
  version: number | undefined,
  refresh: () => void,
  affects: (cause: BalanceCause) => boolean,
): void {
  // The balance panel subscribes to the same; the client sends one subscription for both.
  const [{ data }] = useSubscription({ query: BalanceUpdatedDocument, variables: { account } });
  const update = data?.balanceUpdated;
  const latest = useRef({ refresh, affects });
  latest.current = { refresh, affects };
  const known = useRef(0);
  const throttle = useThrottle(() => latest.current.refresh(), TIMES);

  useEffect(() => {
    if (!update || version === undefined) return;
    known.current = Math.max(known.current, version);
    if (update.version <= known.current) return;
    // After a jump in versions, any cause may be among the updates in between.
    const isNext = update.version === known.current + 1;
    if (isNext && !latest.current.affects(update.cause)) known.current = update.version;
    else throttle.request();
  }, [update, version, throttle]);
}

/** A throttle that is cancelled with its component. */
export function useThrottle(run: () => void, times: { delay: number; interval: number }): Throttle {
  const made = useRef<Throttle>(null);
  made.current ??= makeThrottle(run, times);
  const throttle = made.current;
  useEffect(() => throttle.cancel, [throttle]);
  return throttle;
}
