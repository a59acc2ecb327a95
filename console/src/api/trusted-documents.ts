// Documents are sent as the hash that the gateway's manifest knows them by. A gateway of another
// release, while a page is still open, may not: then the text is sent.

import { type Exchange, makeOperation, type Operation, type OperationResult } from "@urql/core";
import { filter, makeSubject, map, merge, pipe, share } from "wonka";
import { codeOf } from "./errors";

const UNKNOWN = "PERSISTED_QUERY_NOT_FOUND";

type Hashed = { __meta__?: { hash: string } };

export const trustedDocuments: Exchange = ({ forward }) => {
  return (operations) => {
    const again = makeSubject<Operation>();
    const texts = new Map<number, Operation>();

    function asHash(operation: Operation): Operation {
      const hash = (operation.query as Hashed).__meta__?.hash;
      if (operation.kind === "teardown" || !hash) return operation;
      texts.set(operation.key, operation);
      const query = { kind: "Document", documentId: hash, definitions: [] } as never;
      return makeOperation(operation.kind, { ...operation, query }, operation.context);
    }

    function isKnown(result: OperationResult): boolean {
      const operation = texts.get(result.operation.key);
      if (!operation || !result.error?.graphQLErrors.some((each) => codeOf(each) === UNKNOWN)) {
        return true;
      }
      texts.delete(operation.key);
      again.next(operation);
      return false;
    }

    function asAsked(result: OperationResult): OperationResult {
      const operation = texts.get(result.operation.key);
      return operation ? { ...result, operation } : result;
    }

    return pipe(
      merge([pipe(operations, map(asHash)), again.source]),
      forward,
      filter(isKnown),
      map(asAsked),
      share,
    );
  };
};
