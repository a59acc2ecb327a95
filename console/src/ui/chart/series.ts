// The data of a chart. Amounts stay decimal strings; only drawing converts them to floats.

import type { Amount } from "../../util/money";

/** The number of one of the chart colours in tokens.css, or the colour of all other values together. */
export type Colour = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | "rest";

export type Series = {
  id: string;
  label: string;
  shape: "bar" | "line";
  colour: Colour;
  /** Bars with the same stack stand on each other; other bars stand side by side. */
  stack?: string;
  /** An estimate is paler, a comparison is thinner. */
  look?: "estimate" | "comparison";
  /** The ids of the amounts between which an estimate lies. */
  range?: { low: string; high: string };
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
  /** What is unusual about it: marked in the plot, written in the tooltip and the table. */
  remark?: string;
};

/** Series that are buttons. */
export type Choice = {
  isChoosable: (id: string) => boolean;
  isChosen: (id: string) => boolean;
  toggle: (id: string) => void;
};

export type ChartTexts = {
  hint: string;
  /** The hint of a chart with series that are buttons. */
  chooseHint: string;
  partial: string;
  unusual: string;
  period: string;
  display: string;
  asChart: string;
  asTable: string;
  share: (part: string, whole: string) => string;
  range: (low: string, high: string) => string;
};
