// Data that follows the ledger. It has the version of the ledger that it was read at; when the balance has a
// later version, only the part that can have changed is loaded.

import type { AnyVariables, TypedDocumentNode } from "@urql/core";
import { useRef, useState } from "react";
import { useClient } from "urql";
import type { BalanceCause } from "./generated/graphql";
import { useBalanceUpdates } from "./use-balance-updates";
import { type Load, useLoad } from "./use-load";

type Versioned = { account: { balance: { version: number } } | null };

/** Send a query and return its data; undefined where the query failed. */
export type SendQuery = <Data, Variables extends AnyVariables>(
  query: TypedDocumentNode<Data, Variables>,
  variables: Variables,
) => Promise<Data | undefined>;

type Options<Data> = {
  account: string;
  /** Which causes can change the data; by default all. */
  affects?: (cause: BalanceCause) => boolean;
  /** Load the changed part and return it merged with the rest; null where all must be loaded. */
  patch?: (send: SendQuery, data: Data) => Promise<Data | null>;
};

/** A patch is checked by sums, in which two errors can cancel out: all is loaded once in a while. */
const FULL_LOAD_MS = 3_600_000;

const always = () => true;

export function useLiveLoad<Data extends Versioned, Variables extends AnyVariables>(
  query: TypedDocumentNode<Data, Variables>,
  variables: Variables,
  { account, affects = always, patch }: Options<Data>,
): Load<Data> {
  const load = useLoad(query, variables, { isLive: true });
  const client = useClient();
  const [patched, setPatched] = useState<{ full: Data; data: Data } | null>(null);
  const { data: full, previous, retry } = load;
  const data = patched && patched.full === full ? patched.data : full;
  const loaded = useRef({ full, at: 0 });
  if (loaded.current.full !== full) loaded.current = { full, at: performance.now() };

  const send: SendQuery = async (part, values) => {
    const context = { requestPolicy: "network-only" as const };
    return (await client.query(part, values, context).toPromise()).data;
  };

  async function refresh() {
    const isOld = performance.now() - loaded.current.at > FULL_LOAD_MS;
    const next = patch && full && data && !previous && !isOld ? await patch(send, data) : null;
    if (full && next) setPatched({ full, data: next });
    else retry();
  }

  // Data that this person may not see is not requested again and again.
  const isAllowed = !previous && load.failure?.code !== "FORBIDDEN";
  const version = isAllowed ? data?.account?.balance.version : undefined;
  useBalanceUpdates(account, version, () => void refresh(), affects);
  return { ...load, data };
}
