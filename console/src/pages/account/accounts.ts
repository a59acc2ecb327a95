// The accounts to choose from: all that the person may read, which for a platform's staff are many.

import { useCallback, useEffect, useState } from "react";
import { useClient } from "urql";
import { type Failure, failureOf } from "../../api/errors";
import { AccountsDocument, type AccountsQuery } from "../../api/generated/graphql";

export type AccountName = { id: string; name: string; externalId?: string; currency?: string };

export type Accounts = {
  accounts: readonly AccountName[];
  loading: boolean;
  failure: Failure | null;
  /** Load the remaining accounts, for the list to choose from. */
  loadAll: () => void;
  retry: () => void;
};

const MOST_PAGES = 50;

type Page = AccountsQuery["viewer"]["accounts"];
type Loaded = { nodes: Page["nodes"]; after: string | null; isAll: boolean };

/** Load the first accounts. Until they have loaded, `preset` are the accounts. */
export function useAccounts(preset: readonly AccountName[]): Accounts {
  const client = useClient();
  const [loaded, setLoaded] = useState<Loaded | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  const [loading, setLoading] = useState(true);

  const load = useCallback(
    async (pages: number, from: Loaded | null) => {
      setLoading(true);
      setFailure(null);
      let now = from ?? { nodes: [], after: null, isAll: false };
      for (let page = 0; page < pages && !now.isAll; page += 1) {
        const result = await client.query(AccountsDocument, { after: now.after }).toPromise();
        if (result.error) setFailure(failureOf(result.error));
        const found = result.data?.viewer.accounts;
        if (!found) break;
        const { hasNextPage, endCursor } = found.pageInfo;
        now = { nodes: [...now.nodes, ...found.nodes], after: endCursor, isAll: !hasNextPage };
        setLoaded(now);
      }
      setLoading(false);
    },
    [client],
  );

  useEffect(() => void load(1, null), [load]);
  return {
    accounts: loaded?.nodes ?? preset,
    loading,
    failure,
    loadAll: () => void (loaded && !loaded.isAll && !loading && load(MOST_PAGES, loaded)),
    retry: () => void load(1, null),
  };
}
