import { useEffect, useRef } from "react";
import { useSubscription } from "urql";
import { type BalanceCause, BalanceUpdatedDocument } from "../../api/generated/graphql";

/** Meters may send all the time; figures of many days need not follow each of them. */
const REST_MS = 10_000;

/** Ask again, not too often, when usage has moved the balance. */
export function useUsageUpdates(account: string, ask: () => void): void {
  useBalanceUpdates(account, ask, isUsage);
}

const isUsage = (cause: BalanceCause) => cause === "USAGE";

/** Ask again, not too often, when something of such a cause has moved the balance. */
export function useBalanceUpdates(
  account: string,
  ask: () => void,
  isOf: (cause: BalanceCause) => boolean = () => true,
): void {
  // The balance panel listens to the same subscription; the client makes one of both.
  const [{ data }] = useSubscription({ query: BalanceUpdatedDocument, variables: { account } });
  const latest = useRef(ask);
  latest.current = ask;
  const concerns = useRef(isOf);
  const version = useRef<number | null>(null);
  // When it comes, the view asks by itself.
  const asked = useRef(performance.now());
  const waiting = useRef<ReturnType<typeof setTimeout> | null>(null);
  const update = data?.balanceUpdated;

  useEffect(() => {
    if (!update || update.version === version.current) return;
    // After a jump, a charge may be among what was left out.
    const isNext = update.version === (version.current ?? 0) + 1;
    version.current = update.version;
    if (waiting.current || (isNext && !concerns.current(update.cause))) return;
    const wait = Math.max(0, asked.current + REST_MS - performance.now());
    waiting.current = setTimeout(() => {
      waiting.current = null;
      asked.current = performance.now();
      latest.current();
    }, wait);
  }, [update]);

  useEffect(
    () => () => {
      if (waiting.current) clearTimeout(waiting.current);
      waiting.current = null;
    },
    [],
  );
}
