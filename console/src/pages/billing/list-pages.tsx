// The pages of a list by cursor: what they are asked by, how they are turned, and how they fail.

import type { Failure } from "../../api/errors";
import { text } from "../../text/shell";
import { Pagination } from "../../ui/pagination";
import { ErrorState } from "../../ui/states";
import { messageOf } from "../failure";
import { LoadFailed } from "../stale-notice";
import { type Cursor, PAGE_SIZES, show } from "../view";

export function pageOf(cursor: Cursor, size: number) {
  if (cursor && "before" in cursor) return { last: size, before: cursor.before };
  return { first: size, after: cursor?.after ?? null };
}

type Connection = {
  nodes: readonly unknown[];
  totalCount: number;
  pageInfo: {
    hasNextPage: boolean;
    hasPreviousPage: boolean;
    startCursor: string | null;
    endCursor: string | null;
  };
};

type PagesProps = {
  /** What the list is called. */
  list: string;
  connection: Connection | undefined;
  outdated: boolean;
  size: number;
  onTurn: (cursor: Cursor) => void;
};

export function ListPages({ list, connection, outdated, size, onTurn }: PagesProps) {
  // The cursors of one list lead nowhere in another.
  const info = outdated ? undefined : connection?.pageInfo;
  return (
    <Pagination
      texts={{ ...text.pages, label: text.pages.label(list) }}
      summary={connection ? text.pages.summary(connection.nodes.length, connection.totalCount) : ""}
      hasPrevious={!!info?.hasPreviousPage}
      hasNext={!!info?.hasNextPage}
      onPrevious={() => info?.startCursor && onTurn({ before: info.startCursor })}
      onNext={() => info?.endCursor && onTurn({ after: info.endCursor })}
      size={size}
      sizes={PAGE_SIZES}
      onSize={(next) => show({ size: next })}
    />
  );
}

type FailedProps = { failure: Failure; retry: () => void; onFirst: () => void };

/** A cursor that leads nowhere any more is left, so that the list begins again. */
export function ListFailed({ failure, retry, onFirst }: FailedProps) {
  if (failure.code !== "BAD_CURSOR") return <LoadFailed failure={failure} retry={retry} />;
  return (
    <ErrorState
      title={text.errors.title}
      message={messageOf(failure)}
      retryLabel={text.errors.first}
      onRetry={onFirst}
    />
  );
}
