// What went wrong, by the stable code of the gateway's error.

import type { CombinedError } from "@urql/core";

export type Failure = {
  /** A code of the gateway, or OFFLINE where nothing answered. */
  code: string;
  /** The gateway's own sentence; a masked one has the request's id in it. */
  message: string;
};

export function failureOf(error: CombinedError): Failure {
  const first = error.graphQLErrors[0];
  if (first) return { code: codeOf(first), message: first.message };
  const status = (error.response as Response | undefined)?.status;
  if (status === 401) return { code: "UNAUTHENTICATED", message: error.message };
  if (status === undefined) return { code: "OFFLINE", message: error.message };
  return { code: "SERVICE_UNAVAILABLE", message: `HTTP ${status}` };
}

export function codeOf(error: { extensions?: { code?: unknown } | undefined }): string {
  const code = error.extensions?.code;
  return typeof code === "string" ? code : "INTERNAL_SERVER_ERROR";
}
