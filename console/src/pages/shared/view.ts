// What the page shows: its URL holds all of it.

import type {
  CreditPurchaseKind,
  CreditPurchaseStatus,
  LedgerCause,
  UsageDimension,
  UsageInterval,
} from "../../api/generated/graphql";
import type { Preset } from "../../util/window";

export const TABS = ["billing", "usage"] as const;
/** In code points, as the gateway counts. */
export const MAX_SEARCH = 100;
export const PAGE_SIZES = [10, 20, 50, 100] as const;

export const STATUSES = [
  "PENDING",
  "REQUIRES_ACTION",
  "SUCCEEDED",
  "PARTIALLY_REFUNDED",
  "REFUNDED",
  "DISPUTED",
  "FAILED",
  "CANCELED",
] as const satisfies readonly CreditPurchaseStatus[];
export const KINDS = [
  "CARD",
  "COUPON",
  "MANUAL_CREDIT",
  "TRIAL_GRANT",
] as const satisfies readonly CreditPurchaseKind[];
export const CAUSES = [
  "PURCHASE",
  "BONUS",
  "REFUND",
  "DISPUTE",
  "USAGE",
  "ADJUSTMENT",
] as const satisfies readonly LedgerCause[];
export const INTERVALS = [
  "DAY",
  "WEEK",
  "MONTH",
  "YEAR",
] as const satisfies readonly UsageInterval[];
export const CHART_VIEWS = ["spend", "cumulative"] as const;
export const DIMENSIONS = [
  "DEPLOYMENT",
  "PROJECT",
  "PROVIDER",
  "GPU_MODEL",
  "RESOURCE",
] as const satisfies readonly UsageDimension[];

export type Tab = (typeof TABS)[number];
export type ChartView = (typeof CHART_VIEWS)[number];
export type Dimension = (typeof DIMENSIONS)[number];

/** Values of each dimension, null among them for usage that names none. */
export type Filters = Readonly<Partial<Record<Dimension, readonly (string | null)[]>>>;

/**
 * A position in a list: the page after or before it is shown. `rest` counts the rows from there to the
 * end; it stays right, because new rows are added at the beginning.
 */
export type Cursor = (({ after: string } | { before: string }) & { rest?: number }) | null;

export type View = {
  account: string | null;
  tab: Tab;
  /** The days: a preset, two dates, or null for the tab's default. */
  range: Preset | { from: string; to: string } | null;
  /** Null for the account's own zone. */
  zone: string | null;
  status: CreditPurchaseStatus[];
  kind: CreditPurchaseKind[];
  /** The search of the purchases; empty for none. */
  search: string;
  size: number;
  cursor: Cursor;
  cause: LedgerCause[];
  /** The cursor of the Activity. */
  activityCursor: Cursor;
  statementsCursor: Cursor;
  receiptsCursor: Cursor;
  /** The last day on the page of "Day by day"; null for the latest. */
  dailyUntil: string | null;
  interval: UsageInterval | null;
  by: Dimension | null;
  /** The dimension that a row of the breakdown opens to. */
  second: Dimension | null;
  filters: Filters;
  /** What the chart of the Usage tab shows. */
  chart: ChartView;
  /** Whether the chart shows the previous period too. */
  previous: boolean;
  /** The deployment that the Usage tab shows; null for all usage. */
  deployment: string | null;
};
