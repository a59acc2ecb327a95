// A list of documents: a card with a table, and its pages.

import type { ReactNode } from "react";
import type { Load } from "../../api/use-load";
import { Card } from "../../ui/card";
import { EmptyState } from "../../ui/states";
import { type Column, Table } from "../../ui/table";
import { StaleNotice } from "../shared/load-states";
import { useView } from "../shared/navigation";
import type { Cursor } from "../shared/view";
import "./document-list.css";
import { type Connection, ListFailed, ListPages } from "./list-pages";

type Props<Data, Row> = {
  title: string;
  empty: { title: string; hint: string };
  load: Load<Data>;
  connection: Connection<Row> | undefined;
  columns: readonly Column<Row>[];
  cursor: Cursor;
  onTurn: (cursor: Cursor, options?: { replace: boolean }) => void;
  actions?: ReactNode;
  /** Where documents of this kind are not issued, the list is shown only if there are some. */
  issued: boolean;
};

export function DocumentList<Data, Row extends { id: string }>(props: Props<Data, Row>) {
  const { title, load, connection, actions, issued } = props;
  if (!issued && !connection?.totalCount) return null;
  // The card of the purchases explains that this role can't see payments.
  if (load.failure?.code === "FORBIDDEN") return null;
  return (
    <Card title={title} flush busy={load.loading} actions={actions}>
      <Content {...props} />
    </Card>
  );
}

function Content<Data, Row extends { id: string }>(props: Props<Data, Row>) {
  const { title, empty, load, connection, columns, cursor, onTurn } = props;
  const { size } = useView();
  const { failure, retry, previous } = load;
  if (failure && !connection) {
    const toFirst = () => onTurn(null, { replace: true });
    return <ListFailed failure={failure} retry={retry} onFirst={toFirst} />;
  }
  if (connection?.totalCount === 0) return <EmptyState {...empty} />;
  return (
    <>
      {failure && (
        <div className="inset">
          <StaleNotice retry={retry} />
        </div>
      )}
      <Table
        label={title}
        columns={columns}
        rows={connection?.nodes}
        rowKey={(row) => row.id}
        expected={size}
        outdated={previous}
        layout="document-list"
      />
      <ListPages
        list={title}
        connection={connection}
        cursor={cursor}
        outdated={previous}
        size={size}
        onTurn={onTurn}
      />
    </>
  );
}
