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
  /** Read all of them: for the list to choose from. */
  readAll: () => void;
  retry: () => void;
};

const MOST_PAGES = 50;

type Page = AccountsQuery["viewer"]["accounts"];
type Read = { nodes: Page["nodes"]; after: string | null; isAll: boolean };

/** `told` are those that the page was told of, which need not be waited for. */
export function useAccounts(told: readonly AccountName[]): Accounts {
  const client = useClient();
  const [read, setRead] = useState<Read | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  const [loading, setLoading] = useState(true);

  const load = useCallback(
    async (pages: number, from: Read | null) => {
      setLoading(true);
      setFailure(null);
      let now = from ?? { nodes: [], after: null, isAll: false };
      for (let page = 0; page < pages && !now.isAll; page += 1) {
        const answer = await client.query(AccountsDocument, { after: now.after }).toPromise();
        if (answer.error) setFailure(failureOf(answer.error));
        const found = answer.data?.viewer.accounts;
        if (!found) break;
        const { hasNextPage, endCursor } = found.pageInfo;
        now = { nodes: [...now.nodes, ...found.nodes], after: endCursor, isAll: !hasNextPage };
        setRead(now);
      }
      setLoading(false);
    },
    [client],
  );

  useEffect(() => void load(1, null), [load]);
  return {
    accounts: read?.nodes ?? told,
    loading,
    failure,
    readAll: () => void (read && !read.isAll && !loading && load(MOST_PAGES, read)),
    retry: () => void load(1, null),
  };
}
