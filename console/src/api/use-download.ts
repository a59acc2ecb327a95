// Downloads by signed links. A link expires soon, so it is requested when it is needed. Its response is
// an attachment, so the page stays.

import type { AnyVariables, CombinedError, TypedDocumentNode } from "@urql/core";
import { useState } from "react";
import { useClient } from "urql";
import { type Failure, failureOf } from "./errors";

export type Download<Rest> = {
  /** Takes the variables that are chosen with the click, such as the format. */
  start: (rest: Rest) => void;
  pending: boolean;
  failure: Failure | null;
};

/** `fixed` are the variables that name the file; a failure is shown only while they stay the same. */
export function useDownload<Data, Variables extends AnyVariables, Fixed extends Partial<Variables>>(
  query: TypedDocumentNode<Data, Variables>,
  linkOf: (data: Data) => string | null | undefined,
  fixed: Fixed,
): Download<Omit<Variables, keyof Fixed>> {
  const client = useClient();
  const [pending, setPending] = useState(false);
  const [failed, setFailed] = useState<{ key: string; failure: Failure } | null>(null);
  const key = JSON.stringify(fixed);
  if (failed && failed.key !== key) setFailed(null);

  async function start(rest: Omit<Variables, keyof Fixed>) {
    setPending(true);
    setFailed(null);
    const context = { requestPolicy: "network-only" as const };
    const variables: AnyVariables = { ...fixed, ...rest };
    const result = await client.query(query, variables as Variables, context).toPromise();
    setPending(false);
    const url = result.data && linkOf(result.data);
    if (url) download(url);
    else setFailed({ key, failure: failureIn(result.error) });
  }

  return { start: (rest) => void start(rest), pending, failure: failed?.failure ?? null };
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
