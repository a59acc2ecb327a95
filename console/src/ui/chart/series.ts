// What a chart is of. Amounts stay decimal strings; only where they are drawn are they numbers.

import type { Amount } from "../../util/money";

export type Series = {
  id: string;
  label: string;
  shape: "bar" | "line";
  /** One of the chart colours of the tokens. */
  colour: 1 | 2 | 3 | 4 | 5 | 6;
  /** The axis at the end is for what grows much larger than the rest. */
  axis?: "start" | "end";
};

export type Point = {
  id: string;
  /** In full: what is read, and what stands in the table. */
  label: string;
  /** Short, for the axis. */
  tick: string;
  /** By series; one that is not there is not drawn. */
  amounts: Readonly<Record<string, Amount>>;
  /** Whether it will still change, and is drawn paler. */
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
