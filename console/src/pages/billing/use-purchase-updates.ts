import { useEffect, useRef } from "react";
import { useSubscription } from "urql";
import { CreditPurchaseUpdatedDocument } from "../../api/generated/graphql";
import { useThrottle } from "../../api/use-balance-updates";
import { useLiveState } from "../../api/use-session";

/** When a payment settles, several updates arrive at once: its success, its receipt. */
const UPDATE_TIMES = { delay: 250, interval: 1_000 };

/** Late enough for the subscription to run, and soon enough for a payment that was just made. */
const CONNECT_TIMES = { delay: 10_000, interval: 0 };

/**
 * Refresh when a purchase starts or changes. The gateway applies the filter, so that it alone knows
 * whether the purchase is on this page and in the totals.
 */
export function usePurchaseUpdates(account: string, refresh: () => void): void {
  const [pushed] = useSubscription({
    query: CreditPurchaseUpdatedDocument,
    variables: { account },
  });
  const latest = useRef(refresh);
  latest.current = refresh;
  const throttle = useThrottle(() => latest.current(), UPDATE_TIMES);
  const update = pushed.data;
  useEffect(() => {
    if (update) throttle.request();
  }, [update, throttle]);
}

/**
 * Refresh once after the subscription has started. It does not start with the current state, as that of
 * the balance does, so a purchase between the list's response and its start would be missed.
 */
export function useRefreshOnConnect(refresh: () => void): void {
  const state = useLiveState();
  const latest = useRef(refresh);
  latest.current = refresh;
  const throttle = useThrottle(() => latest.current(), CONNECT_TIMES);
  useEffect(() => {
    if (state === "live") throttle.request();
    else throttle.cancel();
  }, [state, throttle]);
}
