import type { ReactNode } from "react";
import { Skeleton } from "./skeleton";
import "./table.css";

export type Column<Row> = {
  key: string;
  header: string;
  /** Aligned at the end, where digits stand below digits. */
  numeric?: boolean;
  /** Whether the header is only spoken. */
  quiet?: boolean;
  cell: (row: Row) => ReactNode;
};

type Props<Row> = {
  label: string;
  columns: readonly Column<Row>[];
  /** Undefined while the first ones are on their way. */
  rows: readonly Row[] | undefined;
  rowKey: (row: Row) => string;
  /** How many rows' place to keep until then. */
  expected?: number;
  /** Whether the rows shown are about to be replaced. */
  outdated?: boolean;
  /** A class for a layout of its own where it is narrow. */
  layout?: string;
};

/**
 * A table; where it is narrow, each row is a block of named values. The roles say so again, because a
 * table that is laid out otherwise loses its own.
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
                <span className={column.quiet ? "hidden" : ""}>{column.header}</span>
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
          <td
            key={column.key}
            role="cell"
            className={classOf(column)}
            data-label={column.quiet ? undefined : column.header}
          >
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
