import type { ReactNode } from "react";
import { Skeleton } from "./skeleton";
import "./table.css";

export type Column<Row> = {
  key: string;
  header: string;
  /** Aligned at the end, so that digits are below digits. */
  numeric?: boolean;
  cell: (row: Row) => ReactNode;
};

type Props<Row> = {
  label: string;
  columns: readonly Column<Row>[];
  /** Undefined while the first rows load. */
  rows: readonly Row[] | undefined;
  rowKey: (row: Row) => string;
  /** How many placeholder rows to show until then. */
  expected?: number;
  /** Whether other rows are loading in place of these. */
  outdated?: boolean;
  /** A class for a layout of its own on narrow screens. */
  layout?: string;
};

/**
 * A table; on narrow screens each row is a block of named values. The roles are explicit, because a
 * table with another `display` loses its own.
 */
export function Table<Row>(props: Props<Row>) {
  const { label, columns, rows, rowKey, expected = 5, outdated = false, layout = "" } = props;
  return (
    <div className="table-frame">
      <table
        className={`table ${layout}${outdated ? " outdated" : ""}`}
        role="table"
        aria-label={label}
      >
        <thead role="rowgroup">
          <tr role="row">
            {columns.map((column) => (
              <th key={column.key} role="columnheader" scope="col" className={classOf(column)}>
                {column.header}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows
            ? rows.map((row) => <Line key={rowKey(row)} columns={columns} row={row} />)
            : Array.from({ length: expected }, (_, line) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: the lines are all alike
                <tr key={line} role="row" className="waiting">
                  {columns.map((column) => (
                    <td key={column.key} role="cell" className={classOf(column)}>
                      <Skeleton />
                    </td>
                  ))}
                </tr>
              ))}
        </tbody>
      </table>
    </div>
  );
}

function Line<Row>({ columns, row }: { columns: readonly Column<Row>[]; row: Row }) {
  return (
    <tr role="row">
      {columns.map((column) => {
        const content = column.cell(row);
        return (
          <td key={column.key} role="cell" className={classOf(column)} data-label={column.header}>
            {content}
          </td>
        );
      })}
    </tr>
  );
}

function classOf<Row>({ key, numeric }: Column<Row>): string {
  return numeric ? `${key} number` : key;
}
