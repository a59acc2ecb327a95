// Failures of requests, by the stable codes of the gateway's errors.

import type { CombinedError } from "@urql/core";

export type Failure = {
  /** A code of the gateway, or OFFLINE where no response came. */
  code: string;
  /** The gateway's sentence; the message of an internal error contains the request's id. */
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
