import { createGraphiQLFetcher, type Fetcher } from "@graphiql/toolkit";
import { type DocumentNode, Kind, parse } from "graphql";

/** Send operations to the gateway, subscriptions over a WebSocket. A credential in the headers tab takes
 * precedence over the chosen one. */
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
    // The editor parses a text with a delay, so its document may be of the previous text.
    const document = parsed(params.query);
    if (!document) return send({ ...params, operationName: null }, { ...options, headers });
    const operationName = nameIn(document, params.operationName);
    return send({ ...params, operationName }, { ...options, documentAST: document, headers });
  };
}

/** Returns the document; undefined where it has an error, which the gateway describes better. */
function parsed(text: string): DocumentNode | undefined {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

/** Returns the chosen name if the document has it, else the name of its only operation. */
function nameIn(document: DocumentNode, chosen: string | null | undefined): string | null {
  const names = document.definitions.flatMap((each) =>
    each.kind === Kind.OPERATION_DEFINITION ? [each.name?.value ?? null] : [],
  );
  if (chosen && names.includes(chosen)) return chosen;
  return names.length === 1 ? (names[0] ?? null) : null;
}
