import { useEffect, useRef } from "react";
import { useSubscription } from "urql";
import { CreditPurchaseUpdatedDocument } from "../../api/generated/graphql";

/** Several updates come at once when a payment settles: its success, its receipt. */
const REST_MS = 250;

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
