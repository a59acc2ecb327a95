// Figures that follow the ledger: they carry the version that they were read at, and when the balance
// has moved past it, only what can have changed is read.

import type { AnyVariables, TypedDocumentNode } from "@urql/core";
import { useRef, useState } from "react";
import { useClient } from "urql";
import type { BalanceCause } from "./generated/graphql";
import { useBalanceUpdates } from "./use-balance-updates";
import { type Load, useLoad } from "./use-load";

type Versioned = { account: { balance: { version: number } } | null };

/** Return a document's data, undefined where it did not come. */
export type Ask = <Data, Variables extends AnyVariables>(
  query: TypedDocumentNode<Data, Variables>,
  variables: Variables,
) => Promise<Data | undefined>;

type Follow<Data> = {
  account: string;
  /** Which causes can change the figures; all if it is left out. */
  concerns?: (cause: BalanceCause) => boolean;
  /** Read what can have changed, and return it with the rest; null where all must be read. */
  patch?: (ask: Ask, data: Data) => Promise<Data | null>;
};

/** What cancels out in the sums that a patch is checked by is read with the next whole. */
const WHOLE_MS = 3_600_000;

const always = () => true;

export function useFollowedLoad<Data extends Versioned, Variables extends AnyVariables>(
  query: TypedDocumentNode<Data, Variables>,
  variables: Variables,
  { account, concerns = always, patch }: Follow<Data>,
): Load<Data> {
  const load = useLoad(query, variables, { isFollowed: true });
  const client = useClient();
  const [patched, setPatched] = useState<{ whole: Data; data: Data } | null>(null);
  const { data: whole, previous, retry } = load;
  const data = patched && patched.whole === whole ? patched.data : whole;
  const read = useRef({ whole, at: 0 });
  if (read.current.whole !== whole) read.current = { whole, at: performance.now() };

  const ask: Ask = async (part, values) => {
    const context = { requestPolicy: "network-only" as const };
    return (await client.query(part, values, context).toPromise()).data;
  };

  async function refresh() {
    const isOld = performance.now() - read.current.at > WHOLE_MS;
    const next = patch && whole && data && !previous && !isOld ? await patch(ask, data) : null;
    if (whole && next) setPatched({ whole, data: next });
    else retry();
  }

  // Who may not see it does not ask for it again and again.
  const isOpen = !previous && load.failure?.code !== "FORBIDDEN";
  const version = isOpen ? data?.account?.balance.version : undefined;
  useBalanceUpdates(account, version, () => void refresh(), concerns);
  return { ...load, data };
}
