// The English words of the balance panel. Parameters are already formatted.

import { isolated } from "../../util/locale";
import { formatDays } from "../../util/number";

export const account = {
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
      IDLE: "Not at the current rate",
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

  low: {
    MONEY: (amount: string) => `Low balance: ${isolated(amount)} or less.`,
    DAYS: (days: number) =>
      `Low balance: at the current rate it lasts ${formatDays(days)} or less.`,
    other: "Low balance: it has reached this account's threshold.",
    DEPLETED: "The balance is used up.",
  },
};
