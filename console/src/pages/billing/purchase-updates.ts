import { useEffect, useRef } from "react";
import { useSubscription } from "urql";
import { CreditPurchaseUpdatedDocument } from "../../api/generated/graphql";
import { useLiveState } from "../../api/use-session";

/** Several updates come at once when a payment settles: its success, its receipt. */
const REST_MS = 250;

/** Long after a subscription has begun, and soon enough for who looks for a payment just made. */
const LOOK_MS = 10_000;

/**
 * Ask again when a purchase begins or changes. Whether it is on this page, and what that does to the
 * totals, is the filter's to say, and the filter is the gateway's.
 */
export function usePurchaseUpdates(account: string, ask: () => void): void {
  const [pushed] = useSubscription({
    query: CreditPurchaseUpdatedDocument,
    variables: { account },
  });
  const latest = useRef(ask);
  latest.current = ask;
  const update = pushed.data;
  useEffect(() => {
    if (!update) return;
    const timer = setTimeout(() => latest.current(), REST_MS);
    return () => clearTimeout(timer);
  }, [update]);
}

/**
 * Ask once more when updates have begun to come. What began after the list was answered and before
 * that, nobody told: unlike a balance, purchases have no first update with what there is.
 */
export function useLateLook(ask: () => void): void {
  const state = useLiveState();
  const latest = useRef(ask);
  latest.current = ask;
  useEffect(() => {
    if (state !== "live") return;
    const timer = setTimeout(() => latest.current(), LOOK_MS);
    return () => clearTimeout(timer);
  }, [state]);
}
