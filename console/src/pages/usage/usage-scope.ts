// What the views of usage are of: chart, totals, tables and exports have the same.

import type { UsageFilter } from "../../api/generated/graphql";
import { inputOf } from "../shared/usage-filter";
import type { Dimension, Filters } from "../shared/view";
import type { UsageWindow } from "./usage-window";

export type UsageScope = {
  account: string;
  window: UsageWindow;
  filters: Filters;
  by: Dimension;
  /** Adds a value to the filter or removes it; null where the filter is fixed. */
  toggle: ((by: Dimension, value: string | null) => void) | null;
};

type Variables = {
  account: string;
  from: string;
  to: string;
  timeZone: string;
  filter: UsageFilter | null;
};

/** The variables of every query of a scope. */
export function variablesOf({
  account,
  window: { from, to, zone },
  filters,
}: UsageScope): Variables {
  return { account, from, to, timeZone: zone, filter: inputOf(filters) };
}
