// The pages of a list by cursor: their variables, their controls, and their failures.

import type { Failure } from "../../api/errors";
import { shared } from "../../text/shared";
import { Pagination } from "../../ui/pagination";
import { ErrorState } from "../../ui/states";
import { messageOf } from "../shared/failure";
import { LoadFailed } from "../shared/load-states";
import { show } from "../shared/navigation";
import { type Cursor, PAGE_SIZES } from "../shared/view";

/** The variables of the page at a cursor. */
export function pageOf(cursor: Cursor, size: number) {
  if (cursor && "before" in cursor) return { last: size, before: cursor.before };
  return { first: size, after: cursor?.after ?? null };
}

export type Connection<Row = unknown> = {
  nodes: readonly Row[];
  totalCount: number;
  pageInfo: {
    hasNextPage: boolean;
    hasPreviousPage: boolean;
    startCursor: string | null;
    endCursor: string | null;
  };
};

type PagesProps = {
  /** The name of the list. */
  list: string;
  connection: Connection | undefined;
  cursor: Cursor;
  outdated: boolean;
  size: number;
  onTurn: (cursor: Cursor) => void;
};

export function ListPages({ list, connection, cursor, outdated, size, onTurn }: PagesProps) {
  // A cursor of one list is not valid in another.
  const info = outdated ? undefined : connection?.pageInfo;
  const { nodes = [], totalCount = 0 } = connection ?? {};
  const first = connection && !outdated ? firstOf(connection, cursor) : null;
  const rest = (passed: number) => (first === null ? {} : { rest: totalCount - first - passed });
  return (
    <Pagination
      texts={{ ...shared.pages, label: shared.pages.label(list) }}
      summary={connection ? shared.pages.summary(first, nodes.length, totalCount) : ""}
      hasPrevious={!!info?.hasPreviousPage}
      hasNext={!!info?.hasNextPage}
      onPrevious={() => info?.startCursor && onTurn({ before: info.startCursor, ...rest(0) })}
      onNext={() => info?.endCursor && onTurn({ after: info.endCursor, ...rest(nodes.length) })}
      size={size}
      sizes={PAGE_SIZES}
      onSize={(next) => show({ size: next })}
    />
  );
}

/** How many rows are before the page; null where the cursor does not contain that. */
function firstOf({ nodes, totalCount, pageInfo }: Connection, cursor: Cursor): number | null {
  if (!pageInfo.hasPreviousPage) return 0;
  if (!pageInfo.hasNextPage) return totalCount - nodes.length;
  if (cursor?.rest === undefined) return null;
  const position = totalCount - cursor.rest;
  const first = "before" in cursor ? position - nodes.length : position;
  return first > 0 && first + nodes.length < totalCount ? first : null;
}

type FailedProps = { failure: Failure; retry: () => void; onFirst: () => void };

/** A list that could not be loaded. One with a cursor that is no longer valid can start again. */
export function ListFailed({ failure, retry, onFirst }: FailedProps) {
  if (failure.code !== "BAD_CURSOR") return <LoadFailed failure={failure} retry={retry} />;
  return (
    <ErrorState
      title={shared.errors.title}
      message={messageOf(failure)}
      retryLabel={shared.errors.first}
      onRetry={onFirst}
    />
  );
}
