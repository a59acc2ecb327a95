// What the page shows, as its URL says it: this is the one place that spells URLs. What is not in the
// URL is at its default, and what cannot be read is left out; so whoever opens a link sees the same.

import { useSyncExternalStore } from "react";
import type {
  CreditPurchaseKind,
  CreditPurchaseStatus,
  LedgerCause,
  UsageInterval,
} from "../../api/generated/graphql";
import { lineOf } from "../../util/line";
import { timeZoneNamed } from "../../util/time";
import { isDay, isPreset, type Preset } from "../../util/window";
import { changedView, keepPlaces, withOwnPlaces } from "./list-places";

export const TABS = ["billing", "usage"] as const;
/** In characters, as the gateway counts them. */
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
export const DIMENSIONS = ["DEPLOYMENT", "PROVIDER", "GPU_MODEL", "RESOURCE"] as const;

export type Tab = (typeof TABS)[number];
export type Dimension = (typeof DIMENSIONS)[number];

/**
 * A place in a list, from which on or up to which a page of it is shown. `rest` are the rows from
 * there to the end: rows that come later come at the beginning, and leave it right.
 */
export type Cursor = (({ after: string } | { before: string }) & { rest?: number }) | null;

export type View = {
  account: string | null;
  tab: Tab;
  /** The days: a preset, two dates, or null for the tab's own default. */
  range: Preset | { from: string; to: string } | null;
  /** Null for the account's own. */
  zone: string | null;
  status: CreditPurchaseStatus[];
  kind: CreditPurchaseKind[];
  /** The text that purchases are searched for; empty where none is. */
  search: string;
  size: number;
  cursor: Cursor;
  cause: LedgerCause[];
  /** The Activity's own. */
  activityCursor: Cursor;
  /** The last day that a page of "Day by day" shows; null for the latest. */
  dailyUntil: string | null;
  interval: UsageInterval | null;
  by: Dimension | null;
};

export function readView(search: string): View {
  const given = new URLSearchParams(search);
  const from = given.get("from");
  const to = given.get("to");
  const preset = given.get("range");
  const zone = given.get("zone");
  const size = Number(given.get("size"));
  const until = given.get("daily-until");
  return withOwnPlaces({
    account: given.get("account"),
    tab: oneOf(TABS, given.get("tab")) ?? "billing",
    range: isDay(from) && isDay(to) ? { from, to } : isPreset(preset) ? preset : null,
    zone: zone !== null ? timeZoneNamed(zone) : null,
    status: listOf(STATUSES, given.get("status")),
    kind: listOf(KINDS, given.get("kind")),
    search: lineOf(given.get("search") ?? "", MAX_SEARCH),
    size: PAGE_SIZES.some((each) => each === size) ? size : PAGE_SIZES[0],
    cursor: cursorOf(given, ""),
    cause: listOf(CAUSES, given.get("cause")),
    activityCursor: cursorOf(given, "activity-"),
    dailyUntil: isDay(until) ? until : null,
    interval: oneOf(INTERVALS, upper(given.get("interval"))),
    by: oneOf(DIMENSIONS, upper(given.get("by"))),
  });
}

export function writeView(view: View): string {
  const written = new URLSearchParams();
  const put = (name: string, value: string | null) => value && written.set(name, value);
  put("account", view.account);
  put("tab", view.tab === "billing" ? null : view.tab);
  if (typeof view.range === "string") put("range", view.range);
  else if (view.range) {
    put("from", view.range.from);
    put("to", view.range.to);
  }
  put("zone", view.zone);
  put("status", view.status.join(",").toLowerCase());
  put("kind", view.kind.join(",").toLowerCase());
  put("search", view.search);
  put("size", view.size === PAGE_SIZES[0] ? null : String(view.size));
  for (const [name, value] of Object.entries(view.cursor ?? {})) put(name, String(value));
  put("cause", view.cause.join(",").toLowerCase());
  for (const [name, value] of Object.entries(view.activityCursor ?? {})) {
    put(`activity-${name}`, String(value));
  }
  put("daily-until", view.dailyUntil);
  put("interval", view.interval?.toLowerCase() ?? null);
  put("by", view.by?.toLowerCase() ?? null);
  const text = written.toString();
  return text ? `?${text}` : location.pathname;
}

function cursorOf(given: URLSearchParams, list: string): Cursor {
  const after = given.get(`${list}after`);
  const before = given.get(`${list}before`);
  const rest = given.get(`${list}rest`);
  const known = rest && /^\d{1,9}$/.test(rest) ? { rest: Number(rest) } : {};
  return after ? { after, ...known } : before ? { before, ...known } : null;
}

function oneOf<Value extends string>(values: readonly Value[], text: string | null): Value | null {
  return values.find((each) => each === text) ?? null;
}

function listOf<Value extends string>(values: readonly Value[], text: string | null): Value[] {
  const given = upper(text)?.split(",") ?? [];
  return values.filter((each) => given.includes(each));
}

function upper(text: string | null): string | null {
  return text?.toUpperCase() ?? null;
}

const listeners = new Set<() => void>();
let search = location.search;
let view = readView(search);

function currentView(): View {
  if (search !== location.search) {
    search = location.search;
    view = readView(search);
  }
  return view;
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  addEventListener("popstate", listener);
  return () => {
    listeners.delete(listener);
    removeEventListener("popstate", listener);
  };
}

/** Show something else; Back leads to what was shown before, unless it is replaced. */
export function show(change: Partial<View>, { replace = false } = {}): void {
  const url = linkTo(change);
  keepPlaces(currentView());
  if (replace) history.replaceState(null, "", url);
  else history.pushState(null, "", url);
  for (const listener of listeners) listener();
}

/** Where a link to such a change leads. */
export function linkTo(change: Partial<View>): string {
  return writeView(changedView(currentView(), change));
}

export function useView(): View {
  return useSyncExternalStore(subscribe, currentView);
}
