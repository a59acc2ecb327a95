// Documents are sent as the hashes of the gateway's manifest. While a page stays open the gateway may
// change to a release with other documents: it then does not know a hash, and the text is sent instead.

import { type Exchange, makeOperation, type Operation, type OperationResult } from "@urql/core";
import { filter, makeSubject, map, merge, pipe, share } from "wonka";
import { codeOf } from "./errors";

const UNKNOWN = "PERSISTED_QUERY_NOT_FOUND";

type Hashed = { __meta__?: { hash: string } };

export const trustedDocuments: Exchange = ({ forward }) => {
  return (operations) => {
    const retries = makeSubject<Operation>();
    /** The operations with their text, by key. */
    const originals = new Map<number, Operation>();

    function withHash(operation: Operation): Operation {
      const hash = (operation.query as Hashed).__meta__?.hash;
      if (operation.kind === "teardown" || !hash) return operation;
      originals.set(operation.key, operation);
      const query = { kind: "Document", documentId: hash, definitions: [] } as never;
      return makeOperation(operation.kind, { ...operation, query }, operation.context);
    }

    function isKnown(result: OperationResult): boolean {
      const original = originals.get(result.operation.key);
      if (!original || !result.error?.graphQLErrors.some((each) => codeOf(each) === UNKNOWN)) {
        return true;
      }
      originals.delete(original.key);
      retries.next(original);
      return false;
    }

    function withOriginal(result: OperationResult): OperationResult {
      const operation = originals.get(result.operation.key);
      return operation ? { ...result, operation } : result;
    }

    return pipe(
      merge([pipe(operations, map(withHash)), retries.source]),
      forward,
      filter(isKnown),
      map(withOriginal),
      share,
    );
  };
};
