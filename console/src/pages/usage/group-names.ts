// The names of a dimension's values, and the ids of their series in a chart.

import type { UsageGroup } from "../../api/generated/graphql";
import { usage as t } from "../../text/usage";
import type { Dimension } from "../shared/view";

export type Group = { group: UsageGroup; key: string | null };

/** Resources, and groups that are no single value of the dimension, have the page's names. */
export function nameOf({ group, key, label }: Group & { label: string }, by: Dimension): string {
  if (group === "NONE") return t.groups.none[by];
  if (group === "OTHER") return t.groups.other;
  return (by === "RESOURCE" && key && resourceName(key)) || label;
}

export function resourceName(resource: string): string {
  const names: Record<string, string> = t.resourceNames;
  return names[resource] ?? resource;
}

const NONE = "none";
const OTHER = "other";

/** An id without spaces, which is the class of a table's column too. */
export function idOf({ group, key }: Group): string {
  if (group === "OTHER") return OTHER;
  return key === null ? NONE : `=${encodeURIComponent(key)}`;
}

/** The value of an id; undefined for "Other", which is no value. */
export function keyOf(id: string): string | null | undefined {
  if (id === NONE) return null;
  return id.startsWith("=") ? decodeURIComponent(id.slice(1)) : undefined;
}
