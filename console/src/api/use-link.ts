// Signed links expire soon, so one is asked for when it is wanted, and the browser downloads it: what
// it links to answers as an attachment, and the page stays.

import type { AnyVariables, CombinedError, TypedDocumentNode } from "@urql/core";
import { useState } from "react";
import { useClient } from "urql";
import { type Failure, failureOf } from "./errors";

export type Link<More> = {
  /** Told what is decided only now, such as the format. */
  follow: (more: More) => void;
  pending: boolean;
  failure: Failure | null;
};

/** `of` is what is linked to: what failed for one says nothing about another. */
export function useLink<Data, Variables extends AnyVariables, Of extends Partial<Variables>>(
  query: TypedDocumentNode<Data, Variables>,
  linkOf: (data: Data) => string | null | undefined,
  of: Of,
): Link<Omit<Variables, keyof Of>> {
  const client = useClient();
  const [pending, setPending] = useState(false);
  const [failed, setFailed] = useState<{ key: string; failure: Failure } | null>(null);
  const key = JSON.stringify(of);
  if (failed && failed.key !== key) setFailed(null);

  async function follow(more: Omit<Variables, keyof Of>) {
    setPending(true);
    setFailed(null);
    const context = { requestPolicy: "network-only" as const };
    const variables: AnyVariables = { ...of, ...more };
    const answer = await client.query(query, variables as Variables, context).toPromise();
    setPending(false);
    const url = answer.data && linkOf(answer.data);
    if (url) download(url);
    else setFailed({ key, failure: failureIn(answer.error) });
  }

  return { follow: (more) => void follow(more), pending, failure: failed?.failure ?? null };
}

function failureIn(error: CombinedError | undefined): Failure {
  return error ? failureOf(error) : { code: "NOT_FOUND", message: "" };
}

function download(url: string): void {
  const link = document.createElement("a");
  link.href = url;
  link.download = "";
  link.rel = "noreferrer";
  link.click();
}
