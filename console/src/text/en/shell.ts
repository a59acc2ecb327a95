// The English words around the tabs: header, sign-in, and messages in place of an account.

import { isolated } from "../../util/locale";

export const shell = {
  title: "Billing & Usage",

  skip: "Skip to content",

  links: { home: "Home", help: "Help" },

  tabs: { label: "Billing and usage", billing: "Billing", usage: "Usage" },

  views: { label: "Saved views" },

  account: {
    label: "Account",
    search: "Search accounts",
    none: "No matching accounts.",
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
    keyHint: "The key is kept only in this page's memory and is gone when you close the page.",
    keyInvalid:
      "This is not an API key: it contains characters that no key has. Copy the key again.",
    keyButton: "Continue",
    failed: "Sign-in failed",
    expired: "Your sign-in has expired. Sign in again to return to the same view.",
    refused: "This credential is not accepted.",
    signedOut: "You are signed out.",
    out: "Sign out",
  },

  dev: { note: "Dev mode: demo people and accounts", person: "Signed in as" },

  theme: { toDark: "Dark theme", toLight: "Light theme" },

  language: {
    label: "Language",
    failed: "This language could not be loaded. Check your connection and try again.",
  },

  lazy: {
    title: "This part of the page could not be loaded",
    hint: "Check your connection and try again. If that does not help, reload the page: there may be a new version.",
    retry: "Try again",
  },

  broken: {
    title: "Something went wrong on this page",
    hint: "Your account is not affected. Reload the page to return to the same view.",
    retry: "Reload",
  },
};
