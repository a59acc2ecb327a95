// The GraphQL client. Each session has a client of its own, so that no person sees data from the cache
// of another.

import {
  Client,
  cacheExchange,
  fetchExchange,
  mapExchange,
  type SubscriptionOperation,
  subscriptionExchange,
} from "@urql/core";
import type { SubscribePayload } from "graphql-ws";
import { failureOf } from "./errors";
import { connect } from "./live";
import { patientFetch } from "./patient-fetch";
import { currentToken } from "./session";
import { trustedDocuments } from "./trusted-documents";

/**
 * `close` ends the WebSocket. `onRefused` is called when the gateway refuses the credential, with whether
 * it had accepted it before.
 */
export function makeClient(onRefused: (accepted: boolean) => void): {
  client: Client;
  close: () => void;
} {
  let accepted = false;
  const refuse = () => onRefused(accepted);
  const live = connect(refuse);
  const client = new Client({
    url: "/graphql",
    fetch: patientFetch,
    preferGetMethod: false,
    requestPolicy: "cache-and-network",
    fetchOptions: () => ({
      headers: {
        accept: "application/graphql-response+json",
        authorization: `Bearer ${currentToken() ?? ""}`,
      },
      credentials: "omit",
    }),
    exchanges: [
      mapExchange({
        onResult({ data }) {
          accepted ||= !!data;
        },
        onError(error) {
          if (failureOf(error).code === "UNAUTHENTICATED") refuse();
        },
      }),
      cacheExchange,
      trustedDocuments,
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: (operation: SubscriptionOperation) => ({
          subscribe: (sink) => ({
            unsubscribe: live.subscribe(withText(operation), {
              next: (result) => sink.next(result as Parameters<typeof sink.next>[0]),
              error: (error) => sink.error(error),
              complete: () => sink.complete(),
            }),
          }),
        }),
      }),
    ],
  });
  return { client, close: () => void live.dispose() };
}

/** graphql-ws requires a text, also where a hash is sent in its place. */
function withText(operation: SubscriptionOperation): SubscribePayload {
  return { ...operation, query: operation.query ?? "" } as SubscribePayload;
}
