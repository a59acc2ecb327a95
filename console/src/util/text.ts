// Every sentence of the page, those of its tabs in files of their own. Money, dates and numbers come
// formatted.

import { billingText } from "./text-billing";
import { usageText } from "./text-usage";

const count = new Intl.NumberFormat();

export const text = {
  ...billingText,
  ...usageText,

  title: "Billing & Usage",
  skip: "Skip to content",
  retry: "Try again",

  tabs: { label: "Billing and usage", billing: "Billing", usage: "Usage" },

  account: {
    label: "Account",
    search: "Search accounts",
    none: "No account has that name.",
    more: (left: number) => `${count.format(left)} more: search to narrow the list.`,
    loading: "Loading accounts…",
    noAccounts: "There is no account that you may read",
    noAccountsHint: "Ask whoever runs the platform to make you a member of one.",
    notFound: "This account is not there, or not yours",
    notFoundHint: "Choose another one above, or sign in as somebody else.",
  },

  signIn: {
    title: "Sign in",
    lead: "See what you have left, how long it lasts, what you paid and where it went.",
    button: "Sign in",
    again: "Sign in again",
    leaving: "Going to the sign-in page…",
    or: "or use an API key",
    key: "API key",
    keyHint: "It stays in this page's memory and is gone when you close it.",
    keyNone: "This is not an API key: it has characters that no key has. Copy the key once more.",
    keyButton: "Continue",
    failed: "Signing in did not work",
    expired: "Your sign-in has expired. Sign in again; you come back to the same view.",
    refused: "This credential is not accepted.",
    left: "You are signed out.",
    out: "Sign out",
  },

  dev: { note: "Dev mode: demo people and accounts", person: "Signed in as" },

  theme: { toDark: "Dark colours", toLight: "Light colours" },

  live: {
    connecting: "Connecting…",
    live: "Live",
    reconnecting: "Reconnecting…",
    offline: "Offline",
    refused: "Not live",
    hints: {
      connecting: "The connection for live updates is being made.",
      live: "The balance moves here as it changes.",
      reconnecting: "The connection is lost; figures may be behind. It is being made anew.",
      offline: "There is no network. Figures are as of before; they refresh when it is back.",
      refused: "Too many pages are open for live updates. Close some and reload.",
    },
  },

  balance: {
    title: "Balance",
    asOf: (time: string) => `as of ${time}`,
    undated: "The account's own time zone could not be loaded, so UTC stands in for it.",
    addCredit: "Add credit",
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
      INSUFFICIENT_HISTORY: "After one complete day of usage",
      IDLE: "Nothing is being spent",
      DEPLETED: "Add credit to keep running",
      BEYOND_HORIZON: "At the present burn rate",
    },
    isNew: "No credit yet",
    newHint: "Add credit to begin",
    beyond: (day: string) => `${day} or later`,
    updated: (money: string) => `The balance is now ${money}.`,
  },

  low: {
    MONEY: "The balance is low: it is below this account's threshold.",
    DAYS: "The balance is low: at the present burn rate it lasts less than this account's threshold.",
    DEPLETED: "The balance is used up.",
  },

  range: {
    label: "Days shown",
    presetsLabel: "Usual ranges",
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
    more: (left: number) => `${count.format(left)} more: search to narrow the list.`,
    own: "the account's",
  },

  filter: {
    clear: "Clear",
    clearAll: "Clear filters",
    any: "Any",
    some: (n: number) => `${n} selected`,
  },

  export: {
    label: "Export",
    formats: {
      CSV: "CSV, for spreadsheets",
      JSONL: "JSON Lines, for programs",
      FOCUS: "FOCUS 1.2, for cost tools",
    },
    failed: "The export could not be made",
  },

  pages: {
    label: (list: string) => `Pages: ${list}`,
    previous: "Previous page",
    next: "Next page",
    size: "Rows",
    none: "None",
    summary: (shown: number, total: number) =>
      shown === total
        ? `${count.format(total)} in all`
        : `${count.format(shown)} of ${count.format(total)}`,
  },

  chart: {
    hint: "Use the arrow keys to move through the points.",
    partial: "Incomplete",
    period: "Period",
    display: "Display",
    asChart: "Chart",
    asTable: "Table",
  },

  late: {
    title: "This part of the page could not be loaded",
    hint: "Try again when there is a network, or reload the page: the gateway may have a new release.",
    retry: "Try again",
  },

  broken: {
    title: "The page has failed",
    hint: "Nothing of your account is lost. Reload the page; it comes back to the same view.",
    retry: "Reload",
  },

  errors: {
    title: "This could not be loaded",
    stale: "This could not be refreshed; what you see is older.",
    OFFLINE: "The gateway does not answer. It is asked again when the connection is back.",
    THROTTLED: "Too many requests at once. Wait a moment.",
    QUERY_TOO_COMPLEX: "This asks for too much at once. Choose fewer days or rows.",
    TIMEOUT: "It took too long. Choose fewer days, or try again.",
    SERVICE_UNAVAILABLE: "The gateway is busy or restarting. Try again in a moment.",
    STORAGE_FULL: "The gateway's storage is full.",
    FORBIDDEN: "Your role in this account does not include this.",
    NOT_FOUND: "This is not there, or not yours.",
    BAD_CURSOR: "This page of the list is no longer there. Start from its beginning.",
    first: "Go to the first page",
  },
} as const;
