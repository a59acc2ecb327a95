// Signed links expire soon, so one is asked for when it is wanted, and the browser downloads it: what
// it links to answers as an attachment, and the page stays.

import type { AnyVariables, TypedDocumentNode } from "@urql/core";
import { useState } from "react";
import { useClient } from "urql";
import { type Failure, failureOf } from "./errors";

export type Link<Variables> = {
  follow: (variables: Variables) => void;
  pending: boolean;
  failure: Failure | null;
};

export function useLink<Data, Variables extends AnyVariables>(
  query: TypedDocumentNode<Data, Variables>,
  linkOf: (data: Data) => string | null | undefined,
): Link<Variables> {
  const client = useClient();
  const [pending, setPending] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);

  async function follow(variables: Variables) {
    setPending(true);
    setFailure(null);
    const context = { requestPolicy: "network-only" as const };
    const answer = await client.query(query, variables, context).toPromise();
    setPending(false);
    const url = answer.data && linkOf(answer.data);
    if (url) download(url);
    else setFailure(answer.error ? failureOf(answer.error) : { code: "NOT_FOUND", message: "" });
  }

  return { follow: (variables) => void follow(variables), pending, failure };
}

function download(url: string): void {
  const link = document.createElement("a");
  link.href = url;
  link.download = "";
  link.rel = "noreferrer";
  link.click();
}
