// What a view loads: the data, whether it is being asked for, what went wrong, and how to try again.

import type { AnyVariables, TypedDocumentNode } from "@urql/core";
import { useCallback, useEffect, useRef } from "react";
import { useQuery } from "urql";
import { type Failure, failureOf } from "./errors";
import { onReturn } from "./live-state";

export type Load<Data> = {
  /** The last that came: while other variables load, still that of the ones before. */
  data: Data | undefined;
  failure: Failure | null;
  /** Whether an answer is under way. */
  loading: boolean;
  /** Whether `data` is of the variables before. */
  previous: boolean;
  retry: () => void;
};

type Options = {
  pause?: boolean;
  /** Whether somebody else reads it again when it has changed. */
  isFollowed?: boolean;
};

/**
 * Load a document. Data outlives a failed refresh of the same variables. When a lost connection has
 * come back it is loaded again: what is followed, only where it had failed.
 */
export function useLoad<Data, Variables extends AnyVariables>(
  query: TypedDocumentNode<Data, Variables>,
  variables: Variables,
  { pause = false, isFollowed = false }: Options = {},
): Load<Data> {
  const [result, execute] = useQuery<Data, Variables>({ query, variables, pause } as Parameters<
    typeof useQuery<Data, Variables>
  >[0]);
  const key = JSON.stringify(variables);
  const last = useRef<{ key: string; data: Data } | null>(null);
  const fresh = !result.fetching && result.data !== undefined;
  useEffect(() => {
    if (fresh && result.data !== undefined) last.current = { key, data: result.data };
  }, [fresh, key, result.data]);

  const retry = useCallback(() => execute({ requestPolicy: "network-only" }), [execute]);
  const hasFailed = result.error !== undefined;
  const isRetried = !pause && (!isFollowed || hasFailed);
  useEffect(() => (isRetried ? onReturn(retry) : undefined), [isRetried, retry]);

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
