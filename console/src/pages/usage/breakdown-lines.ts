// The lines of the breakdown: its rows, and below an open row its parts by the second dimension.

import type { UsageBreakdownQuery } from "../../api/generated/graphql";
import type { Dimension } from "../shared/view";
import { idOf, nameOf } from "./group-names";

type Usage = NonNullable<UsageBreakdownQuery["account"]>["usage"];
type OpenedRow = NonNullable<Usage["opened"]>[number];
type Row = NonNullable<Usage["breakdown"]>[number] & Partial<Pick<OpenedRow, "children">>;
export type Rows = readonly Row[];

export type Line = {
  /** Of the line; `value` is the group's. */
  id: string;
  value: string;
  by: Dimension;
  name: string;
  isValue: boolean;
  isChild: boolean;
  isOpen: boolean;
  share: string | null;
  /** What the share is of: a row's spend; null for the total. */
  whole: string | null;
  deployments: number;
  spend: Row["spend"];
};

type Options = { by: Dimension; second: Dimension; opened: ReadonlySet<string> };

export function linesOf(rows: Rows, { by, second, opened }: Options): Line[] {
  return rows.flatMap((row) => {
    const id = idOf(row);
    const isOpen = opened.has(id);
    const line: Line = {
      ...common(row, by),
      id,
      isChild: false,
      isOpen,
      whole: null,
    };
    const children = isOpen ? (row.children ?? []) : [];
    return [
      line,
      ...children.map((child) => ({
        ...common(child, second),
        id: `${id} ${idOf(child)}`,
        isChild: true,
        isOpen: false,
        whole: row.spend.amount,
      })),
    ];
  });
}

function common(row: Omit<Row, "children">, by: Dimension) {
  return {
    value: idOf(row),
    by,
    name: nameOf(row, by),
    isValue: row.group === "VALUE",
    share: row.share,
    deployments: row.deployments,
    spend: row.spend,
  };
}
