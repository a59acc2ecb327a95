import { createGraphiQLFetcher, type Fetcher } from "@graphiql/toolkit";

/** Send operations to the gateway, subscriptions over a WebSocket; a credential in the headers
 * tab goes before the one that was chosen. */
export function createFetcher(token: () => string): Fetcher {
  const send = createGraphiQLFetcher({
    url: "/graphql",
    subscriptionUrl: `${location.origin.replace(/^http/, "ws")}/graphql`,
    enableIncrementalDelivery: false,
  });
  return (params, options) => {
    const own = (options?.headers ?? {}) as Record<string, string>;
    const has = Object.keys(own).some((name) => name.toLowerCase() === "authorization");
    const chosen = has || !token() ? {} : { Authorization: `Bearer ${token()}` };
    return send(params, { ...options, headers: { ...chosen, ...own } });
  };
}
