// The URL of a view. What the URL leaves out is at its default, and what cannot be read counts as left
// out, so that a link shows everybody the same.

import { cleanLine } from "../../util/line";
import { canonicalZone } from "../../util/time";
import { isDay, isPreset } from "../../util/window";
import { withOwnPositions } from "./list-positions";
import { readFilters, writeFilters } from "./usage-filter";
import {
  CAUSES,
  CHART_VIEWS,
  type Cursor,
  DIMENSIONS,
  INTERVALS,
  KINDS,
  MAX_SEARCH,
  PAGE_SIZES,
  STATUSES,
  TABS,
  type View,
} from "./view";

export function readView(search: string): View {
  const given = new URLSearchParams(search);
  const from = given.get("from");
  const to = given.get("to");
  const preset = given.get("range");
  const zone = given.get("zone");
  const size = Number(given.get("size"));
  const until = given.get("daily-until");
  return withOwnPositions({
    account: given.get("account"),
    tab: oneOf(TABS, given.get("tab")) ?? "billing",
    range: isDay(from) && isDay(to) ? { from, to } : isPreset(preset) ? preset : null,
    zone: zone !== null ? canonicalZone(zone) : null,
    status: listOf(STATUSES, given.get("status")),
    kind: listOf(KINDS, given.get("kind")),
    search: cleanLine(given.get("search") ?? "", MAX_SEARCH),
    size: PAGE_SIZES.some((each) => each === size) ? size : PAGE_SIZES[0],
    cursor: cursorOf(given, ""),
    cause: listOf(CAUSES, given.get("cause")),
    activityCursor: cursorOf(given, "activity-"),
    statementsCursor: cursorOf(given, "statements-"),
    receiptsCursor: cursorOf(given, "receipts-"),
    dailyUntil: isDay(until) ? until : null,
    interval: oneOf(INTERVALS, upper(given.get("interval"))),
    by: oneOf(DIMENSIONS, upper(given.get("by"))),
    second: oneOf(DIMENSIONS, upper(given.get("then"))),
    filters: readFilters(given),
    chart: oneOf(CHART_VIEWS, given.get("chart")) ?? "spend",
    previous: given.get("previous") === "1",
    deployment: given.get("deployment"),
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
  for (const list of ["activity", "statements", "receipts"] as const) {
    const cursor = view[`${list}Cursor`] ?? {};
    for (const [name, value] of Object.entries(cursor)) put(`${list}-${name}`, String(value));
  }
  put("daily-until", view.dailyUntil);
  put("interval", view.interval?.toLowerCase() ?? null);
  put("by", view.by?.toLowerCase() ?? null);
  put("then", view.second?.toLowerCase() ?? null);
  writeFilters(view.filters, written);
  put("chart", view.chart === "spend" ? null : view.chart);
  put("previous", view.previous ? "1" : null);
  put("deployment", view.deployment);
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
