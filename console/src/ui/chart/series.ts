// The data of a chart. Amounts stay decimal strings; only drawing converts them to floats.

import type { Amount } from "../../util/money";

export type Series = {
  id: string;
  label: string;
  shape: "bar" | "line";
  /** The number of one of the chart colours in tokens.css. */
  colour: 1 | 2 | 3 | 4 | 5 | 6;
  /** The axis at the end is for amounts that grow much larger than the others. */
  axis?: "start" | "end";
};

export type Point = {
  id: string;
  /** In full, for the tooltip and the table. */
  label: string;
  /** Short, for the axis. */
  tick: string;
  /** By series; a missing amount is not drawn. */
  amounts: Readonly<Record<string, Amount>>;
  /** Whether it may still change: its bars are paler. */
  isPartial?: boolean;
};

export type ChartTexts = {
  hint: string;
  partial: string;
  period: string;
  display: string;
  asChart: string;
  asTable: string;
};
