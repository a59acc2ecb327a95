// The English words around the tabs. Money, dates and numbers come formatted.

import { isolated, pluralsOf } from "../../util/locale";
import { formatCount, formatDays, formatPlaces } from "../../util/number";

const plural = pluralsOf("en");

function more(left: number): string {
  return plural(left, {
    one: "1 more: search to narrow the list.",
    other: `${formatCount(left)} more: search to narrow the list.`,
  });
}

export const shell = {
  title: "Billing & Usage",
  skip: "Skip to content",
  retry: "Try again",

  links: { home: "Home", help: "Help" },

  tabs: { label: "Billing and usage", billing: "Billing", usage: "Usage" },

  account: {
    label: "Account",
    search: "Search accounts",
    none: "No account has that name.",
    more,
    loading: "Loading accounts…",
    noAccounts: "You don't have access to any account yet",
    noAccountsHint: (id: string | null) =>
      `Ask your administrator to add you to an account.${id ? ` Your ID is ${isolated(id)}.` : ""}`,
    notFound: "Account not found, or you don't have access",
    notFoundHint: "Choose another account above, or sign in as someone else.",
  },

  signIn: {
    title: "Sign in",
    lead: "See what you have left, how long it lasts, what you paid and where it went.",
    button: "Sign in",
    again: "Sign in again",
    leaving: "Opening the sign-in page…",
    or: "or use an API key",
    key: "API key",
    keyHint: "The key stays in this page's memory and is gone when you close the page.",
    keyNone: "This is not an API key: it has characters that no key has. Copy the key again.",
    keyButton: "Continue",
    failed: "Sign-in failed",
    expired: "Your sign-in has expired. Sign in again to return to the same view.",
    refused: "This credential is not accepted.",
    left: "You are signed out.",
    out: "Sign out",
  },

  dev: { note: "Dev mode: demo people and accounts", person: "Signed in as" },

  theme: { toDark: "Dark theme", toLight: "Light theme" },

  language: {
    label: "Language",
    failed: "This language could not be loaded. Check your connection and try again.",
  },

  live: {
    connecting: "Connecting…",
    live: "Live",
    reconnecting: "Reconnecting…",
    offline: "Offline",
    refused: "Not live",
    hints: {
      connecting: "Connecting for live updates.",
      live: "The balance updates here as it changes.",
      reconnecting: "The connection is lost, so figures may be out of date. Reconnecting.",
      offline: "You are offline. Figures refresh when you are back online.",
      refused: "Too many pages are open for live updates. Close some and reload.",
    },
  },

  balance: {
    title: "Balance",
    asOf: (time: string) => `as of ${isolated(time)}`,
    undated: "The account's time zone could not be loaded. Times are in UTC.",
    addCredit: "Add credit",
    portal: "Manage billing",
    burn: "Burn rate",
    perDay: "per day",
    burnHint: "7-day average",
    burnNone: "Not known yet",
    runsOut: "Runs out",
    runway: {
      ESTIMATED: "",
      INSUFFICIENT_HISTORY: "Not known yet",
      IDLE: "Not at present",
      DEPLETED: "Nothing left",
      BEYOND_HORIZON: "Not within 10 years",
    },
    runwayHint: {
      ESTIMATED: "",
      INSUFFICIENT_HISTORY: "After one full day of usage",
      IDLE: "No current spending",
      DEPLETED: "Add credit to keep running",
      BEYOND_HORIZON: "At the current rate",
    },
    isNew: "No credit yet",
    newHint: "Add credit to get started",
    beyond: (day: string) => `${isolated(day)} or later`,
    updated: (money: string) => `The balance is now ${money}.`,
  },

  low: {
    MONEY: (amount: string) => `Low balance: ${isolated(amount)} or less.`,
    DAYS: (days: number) =>
      `Low balance: at the current rate it lasts ${formatDays(days)} or less.`,
    other: "Low balance: it has reached this account's threshold.",
    DEPLETED: "The balance is used up.",
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
    none: "No time zone has that name.",
    more,
    own: "account's zone",
  },

  filter: {
    clear: "Clear",
    clearAll: "Clear filters",
    any: "Any",
    some: (count: number) => `${formatCount(count)} selected`,
  },

  export: {
    label: "Export",
    formats: {
      CSV: "CSV, for spreadsheets",
      JSONL: "JSON Lines, for programs",
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
    /** `before` are the rows before those shown, where that is known. */
    summary: (before: number | null, shown: number, total: number) =>
      shown === total
        ? `${formatCount(total)} in all`
        : `${formatPlaces(before, shown)} of ${formatCount(total)}`,
  },

  chart: {
    hint: "Use the arrow keys to move through the points.",
    partial: "In progress",
    period: "Period",
    display: "Display",
    asChart: "Chart",
    asTable: "Table",
  },

  late: {
    title: "This part of the page could not be loaded",
    hint: "Check your connection and try again. If that does not help, reload the page: there may be a new version.",
    retry: "Try again",
  },

  broken: {
    title: "Something went wrong on this page",
    hint: "Your account is not affected. Reload the page to return to the same view.",
    retry: "Reload",
  },

  errors: {
    title: "This could not be loaded",
    stale: "This could not be refreshed. The figures may be out of date.",
    OFFLINE: "We can't reach the server. We'll retry when you're back online.",
    THROTTLED: "Too many requests at once. Wait a moment and try again.",
    QUERY_TOO_COMPLEX: "This is too much to load at once. Choose fewer days or rows.",
    TIMEOUT: "This took too long. Choose fewer days, or try again.",
    SERVICE_UNAVAILABLE: "The server is busy or restarting. Try again in a moment.",
    STORAGE_FULL: "The server's storage is full.",
    FORBIDDEN: "Your role in this account does not include this.",
    NOT_FOUND: "Not found, or you don't have access.",
    BAD_CURSOR: "This page of the list no longer exists. Start from the first page.",
    /** A sentence of the server, in English. */
    other: (message: string) => message,
    first: "Go to the first page",
  },
};
