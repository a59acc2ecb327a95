// The state of a load: its data, whether a response is pending, its failure, and how to retry.

import type { AnyVariables, TypedDocumentNode } from "@urql/core";
import { useCallback, useEffect, useRef } from "react";
import { useQuery } from "urql";
import { type Failure, failureOf } from "./errors";
import { onReconnect } from "./live-state";

export type Load<Data> = {
  /** The latest data: while new variables load, still that of the previous ones. */
  data: Data | undefined;
  failure: Failure | null;
  /** Whether a response is pending. */
  loading: boolean;
  /** Whether `data` belongs to the previous variables. */
  previous: boolean;
  retry: () => void;
};

type Options = {
  pause?: boolean;
  /** Whether the caller refreshes the data when it has changed. */
  isLive?: boolean;
};

/**
 * Load a document. Data stays when a refresh with the same variables fails. After a lost connection the
 * document is loaded again; one that the caller refreshes, only if it had failed.
 */
export function useLoad<Data, Variables extends AnyVariables>(
  query: TypedDocumentNode<Data, Variables>,
  variables: Variables,
  { pause = false, isLive = false }: Options = {},
): Load<Data> {
  const [result, execute] = useQuery<Data, Variables>({ query, variables, pause } as Parameters<
    typeof useQuery<Data, Variables>
  >[0]);
  const key = JSON.stringify(variables);
  const last = useRef<{ key: string; data: Data } | null>(null);
  const isFresh = !result.fetching && result.data !== undefined;
  useEffect(() => {
    if (isFresh && result.data !== undefined) last.current = { key, data: result.data };
  }, [isFresh, key, result.data]);

  const retry = useCallback(() => execute({ requestPolicy: "network-only" }), [execute]);
  const hasFailed = result.error !== undefined;
  const isRetried = !pause && (!isLive || hasFailed);
  useEffect(() => (isRetried ? onReconnect(retry) : undefined), [isRetried, retry]);

  const kept = last.current;
  const failure = result.error && !result.fetching ? failureOf(result.error) : null;
  const data = result.data ?? (failure && kept?.key !== key ? undefined : kept?.data);
  return {
    data,
    failure,
    loading: result.fetching || result.stale || (pause && data === undefined),
    previous: result.fetching && data !== undefined && kept?.key !== key,
    retry,
  };
}
