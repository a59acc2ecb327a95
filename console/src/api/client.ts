// The one GraphQL client: a signed-in person has one, and another person gets another with nothing
// of the first one's in its cache.

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
import { currentToken } from "./session";
import { trustedDocuments } from "./trusted-documents";

/**
 * `close` ends the WebSocket; `onRefused` is called where the credential is not taken, and told
 * whether it once was.
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

/** The socket's library insists on a text, also where a hash stands for it. */
function withText(operation: SubscriptionOperation): SubscribePayload {
  return { ...operation, query: operation.query ?? "" } as SubscribePayload;
}
