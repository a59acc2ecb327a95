import { createGraphiQLFetcher, type Fetcher } from "@graphiql/toolkit";
import { type DocumentNode, Kind, parse } from "graphql";

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
    const headers = { ...chosen, ...own };
    // What the editor tells of a text comes some moments after it, and may be of the one before.
    const document = parsed(params.query);
    if (!document) return send({ ...params, operationName: null }, { ...options, headers });
    const operationName = nameIn(document, params.operationName);
    return send({ ...params, operationName }, { ...options, documentAST: document, headers });
  };
}

/** Returns the document; undefined where it has an error, which the gateway tells better. */
function parsed(text: string): DocumentNode | undefined {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

/** Returns the name that was chosen, if the document has it, or that of its only operation. */
function nameIn(document: DocumentNode, chosen: string | null | undefined): string | null {
  const names = document.definitions.flatMap((each) =>
    each.kind === Kind.OPERATION_DEFINITION ? [each.name?.value ?? null] : [],
  );
  if (chosen && names.includes(chosen)) return chosen;
  return names.length === 1 ? (names[0] ?? null) : null;
}
