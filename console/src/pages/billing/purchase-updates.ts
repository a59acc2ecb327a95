import { useEffect, useRef } from "react";
import { useSubscription } from "urql";
import { CreditPurchaseUpdatedDocument } from "../../api/generated/graphql";
import { usePace } from "../../api/use-balance-updates";
import { useLiveState } from "../../api/use-session";

/** Several updates come at once when a payment settles: its success, its receipt. */
const PACE = { soon: 250, rest: 1_000 };

/** Long after a subscription has begun, and soon enough for who looks for a payment just made. */
const LOOK = { soon: 10_000, rest: 0 };

/**
 * Read again when a purchase begins or changes. Whether it is on this page, and what that does to the
 * totals, is the filter's to say, and the filter is the gateway's.
 */
export function usePurchaseUpdates(account: string, read: () => void): void {
  const [pushed] = useSubscription({
    query: CreditPurchaseUpdatedDocument,
    variables: { account },
  });
  const latest = useRef(read);
  latest.current = read;
  const pace = usePace(() => latest.current(), PACE);
  const update = pushed.data;
  useEffect(() => {
    if (update) pace.want();
  }, [update, pace]);
}

/**
 * Read once more when updates have begun to come. A purchase that began after the list was answered and
 * before that is in neither: unlike a balance, purchases have no first update with what there is.
 */
export function useLateLook(read: () => void): void {
  const state = useLiveState();
  const latest = useRef(read);
  latest.current = read;
  const pace = usePace(() => latest.current(), LOOK);
  useEffect(() => {
    if (state === "live") pace.want();
    else pace.stop();
  }, [state, pace]);
}
