// A view of the Usage tab as the gateway saves it, and back.

import type { SavedViewsQuery, SaveViewMutationVariables } from "../../api/generated/graphql";
import type { Preset } from "../../util/window";
import { filtersOf, inputOf } from "../shared/usage-filter";
import type { View } from "../shared/view";

type Saved = NonNullable<SavedViewsQuery["account"]>["savedViews"][number]["query"];
type Written = Omit<SaveViewMutationVariables, "account" | "name">;
type UsageRange = NonNullable<Saved["range"]>;

const RANGES: Record<UsageRange, Preset> = {
  LAST_SEVEN_DAYS: "7d",
  LAST_THIRTY_DAYS: "30d",
  LAST_NINETY_DAYS: "90d",
  LAST_TWELVE_WEEKS: "12w",
  LAST_TWELVE_MONTHS: "12m",
  LAST_FIVE_YEARS: "5y",
  THIS_MONTH: "this-month",
  LAST_MONTH: "last-month",
  THIS_YEAR: "this-year",
  LAST_YEAR: "last-year",
};

export function queryOf({ range, zone, interval, filters, by, second }: View): Written {
  const preset = Object.entries(RANGES).find(([, each]) => each === range)?.[0];
  const days = range !== null && typeof range !== "string" ? range : null;
  return {
    interval,
    range: (preset as UsageRange | undefined) ?? null,
    from: days?.from ?? null,
    to: days?.to ?? null,
    timeZone: zone,
    filter: inputOf(filters),
    by,
    second,
  };
}

export function viewOf({ range, from, to, ...saved }: Saved): Partial<View> {
  return {
    tab: "usage",
    deployment: null,
    range: range ? RANGES[range] : from && to ? { from, to } : null,
    zone: saved.timeZone,
    interval: saved.interval,
    filters: saved.filter ? filtersOf(saved.filter) : {},
    by: saved.by,
    second: saved.second,
  };
}
