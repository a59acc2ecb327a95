// The English words that both tabs and the header share. Parameters are already formatted.

import { pluralsOf } from "../../util/locale";
import { formatCount, formatRowRange } from "../../util/number";

const plural = pluralsOf("en");

export const shared = {
  retry: "Try again",

  /** Under a list that shows only its first entries. */
  more: (left: number) =>
    plural(left, {
      one: "1 more: search to narrow the list.",
      other: `${formatCount(left)} more: search to narrow the list.`,
    }),

  errors: {
    title: "This could not be loaded",
    stale: "This could not be refreshed. The figures may be out of date.",
    OFFLINE: "We can't reach the server. We'll retry when you're back online.",
    THROTTLED: "Too many requests at once. Wait a moment and try again.",
    QUERY_TOO_COMPLEX: "This is too much to load at once. Choose fewer days or rows.",
    TIMEOUT: "This took too long. Choose fewer days, or try again.",
    SERVICE_UNAVAILABLE: "The server is busy or restarting. Try again in a moment.",
    STORAGE_FULL: "The server's storage is full.",
    FORBIDDEN: "Your role in this account doesn't allow this.",
    NOT_FOUND: "Not found, or you don't have access.",
    BAD_CURSOR: "This page of the list no longer exists. Start from the first page.",
    /** A sentence of the server, in English. */
    other: (message: string) => message,
    first: "Go to the first page",
  },

  range: {
    label: "Date range",
    presetsLabel: "Preset ranges",
    from: "From",
    to: "To",
    apply: "Apply",
    previousMonth: "Previous month",
    nextMonth: "Next month",
    presets: {
      "7d": "Last 7 days",
      "30d": "Last 30 days",
      "90d": "Last 90 days",
      "12w": "Last 12 weeks",
      "12m": "Last 12 months",
      "this-month": "This month",
      "last-month": "Last month",
      "this-year": "This year",
      "last-year": "Last year",
      "5y": "Last 5 years",
      all: "All time",
    },
  },

  zone: {
    label: "Time zone",
    search: "Search time zones",
    none: "No matching time zones.",
    own: "account's zone",
  },

  export: {
    label: "Export",
    formats: {
      CSV: "CSV, for spreadsheets",
      XLSX: "Excel workbook (XLSX)",
      JSONL: "JSON Lines, for programs",
      PARQUET: "Parquet, for analysis",
      FOCUS: "FOCUS 1.2, for cost tools",
    },
    failed: "Export failed",
  },

  pages: {
    label: (list: string) => `Pages: ${list}`,
    previous: "Previous page",
    next: "Next page",
    size: "Rows",
    none: "None",
    /** `before` is the number of rows before the page; null where it is not known. */
    summary: (before: number | null, shown: number, total: number) =>
      shown === total
        ? `${formatCount(total)} in all`
        : `${formatRowRange(before, shown)} of ${formatCount(total)}`,
  },

  chart: {
    hint: "Use the arrow keys to move between data points.",
    chooseHint:
      "Use the left and right arrow keys to move between data points, up and down to move between groups, and Enter to filter by a group.",
    partial: "In progress",
    unusual: "Unusual",
    period: "Period",
    display: "Display",
    asChart: "Chart",
    asTable: "Table",
    share: (part: string, whole: string) => `${part} of ${whole}`,
    range: (low: string, high: string) => `(${low} to ${high})`,
  },
};
