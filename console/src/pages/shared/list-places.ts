// Where a person is in each list of a tab. A place is of one list as it is selected: another selection
// begins at the beginning, another tab's link has no part of it, and who comes back to the tab finds it.

import type { View } from "./view";

const SELECTS = ["account", "range", "zone", "size"] as const;

type List = { tab: View["tab"]; place: Place; selects: readonly (keyof View)[] };
type Place = "cursor" | "activityCursor" | "dailyUntil";

const LISTS: readonly List[] = [
  { tab: "billing", place: "cursor", selects: [...SELECTS, "status", "kind", "search"] },
  { tab: "billing", place: "activityCursor", selects: [...SELECTS, "cause"] },
  { tab: "usage", place: "dailyUntil", selects: [...SELECTS, "interval"] },
];

/** Places of the tabs that were left, with what their lists were selected by. */
const left = new Map<Place, { selection: string; place: View[Place] }>();

/** Keep the places of a view that is left for another one. */
export function keepPlaces(view: View): void {
  for (const list of listsOf(view.tab)) {
    left.set(list.place, { selection: selectionOf(list, view), place: view[list.place] });
  }
}

/** The view that a change leads to, with the places that are still of its lists. */
export function changedView(view: View, change: Partial<View>): View {
  const next = { ...view, ...change };
  for (const list of LISTS) {
    if (list.place in change) continue;
    const kept = next.tab === view.tab ? null : left.get(list.place);
    if (kept?.selection === selectionOf(list, next)) next[list.place] = kept.place as never;
    else if (list.selects.some((part) => part in change)) next[list.place] = null;
  }
  return withOwnPlaces(next);
}

/** A view without the places of other tabs. */
export function withOwnPlaces(view: View): View {
  const none: Partial<View> = {};
  for (const { tab, place } of LISTS) if (tab !== view.tab) none[place] = null;
  return { ...view, ...none };
}

function listsOf(tab: View["tab"]): readonly List[] {
  return LISTS.filter((list) => list.tab === tab);
}

function selectionOf({ selects }: List, view: View): string {
  return JSON.stringify(selects.map((part) => view[part]));
}
