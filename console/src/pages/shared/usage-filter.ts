// The filter of the Usage tab: from and to its URL, and to the gateway.

import type { UsageFilter } from "../../api/generated/graphql";
import { DIMENSIONS, type Dimension, type Filters } from "./view";

/** The gateway accepts no more values of a dimension. */
export const MOST_VALUES = 100;

export function readFilters(given: URLSearchParams): Filters {
  const filters: Partial<Record<Dimension, (string | null)[]>> = {};
  for (const dimension of DIMENSIONS) {
    // An empty value stands for usage without one.
    const values = new Set(given.getAll(nameOf(dimension)).map((value) => value || null));
    if (dimension === "RESOURCE") values.delete(null);
    if (values.size > 0) filters[dimension] = [...values].slice(0, MOST_VALUES);
  }
  return filters;
}

export function writeFilters(filters: Filters, written: URLSearchParams): void {
  for (const dimension of DIMENSIONS) {
    for (const value of filters[dimension] ?? []) written.append(nameOf(dimension), value ?? "");
  }
}

function nameOf(dimension: Dimension): string {
  return `filter-${dimension.toLowerCase()}`;
}

export function withValues(
  filters: Filters,
  dimension: Dimension,
  values: readonly (string | null)[],
): Filters {
  const { [dimension]: _, ...others } = filters;
  return values.length > 0 ? { ...others, [dimension]: values.slice(0, MOST_VALUES) } : others;
}

/** Adds a value, or removes it where it is there. */
export function toggled(filters: Filters, dimension: Dimension, value: string | null): Filters {
  const values = filters[dimension] ?? [];
  const next = values.includes(value)
    ? values.filter((each) => each !== value)
    : [...values, value];
  return withValues(filters, dimension, next);
}

const LISTS = {
  DEPLOYMENT: "deployments",
  PROJECT: "projects",
  PROVIDER: "providers",
  GPU_MODEL: "gpuModels",
  RESOURCE: "resources",
} as const satisfies Record<Dimension, keyof UsageFilter>;

type Lists = { [list in keyof UsageFilter]?: readonly (string | null)[] | null };

/** The filter of the gateway's lists. */
export function filtersOf(lists: Lists): Filters {
  return DIMENSIONS.reduce<Filters>(
    (filters, each) => withValues(filters, each, lists[LISTS[each]] ?? []),
    {},
  );
}

/** The filter as the gateway takes it; null for all usage. */
export function inputOf(filters: Filters): UsageFilter | null {
  const input: Lists = {};
  for (const each of DIMENSIONS) {
    const values = filters[each];
    if (values) input[LISTS[each]] = [...values];
  }
  return Object.keys(input).length > 0 ? (input as UsageFilter) : null;
}

/** A filter that selects these values of a dimension alone. */
export function filterTo(
  filter: UsageFilter | null,
  dimension: Dimension,
  values: readonly (string | null)[],
): UsageFilter {
  return { ...filter, [LISTS[dimension]]: values };
}
