// The position of a reader in each list of a tab. A position belongs to a list with its selection:
// another selection starts at the first page, a link to another tab leaves the position out, and a
// return to the tab finds it again.

import type { View } from "./view";

const SELECTED_BY = ["account", "range", "zone", "size"] as const;

type Position = "cursor" | "activityCursor" | "statementsCursor" | "receiptsCursor" | "dailyUntil";
type List = { tab: View["tab"]; position: Position; selectedBy: readonly (keyof View)[] };

const LISTS: readonly List[] = [
  {
    tab: "billing",
    position: "cursor",
    selectedBy: [...SELECTED_BY, "status", "kind", "search"],
  },
  { tab: "billing", position: "activityCursor", selectedBy: [...SELECTED_BY, "cause"] },
  { tab: "usage", position: "dailyUntil", selectedBy: [...SELECTED_BY, "interval", "deployment"] },
  { tab: "billing", position: "statementsCursor", selectedBy: ["account", "size"] },
  { tab: "billing", position: "receiptsCursor", selectedBy: ["account", "size"] },
];

/** The positions in lists of other tabs, each with the selection that it belongs to. */
const stored = new Map<Position, { selection: string; position: View[Position] }>();

/** Store the positions of a view before another one is shown. */
export function storePositions(view: View): void {
  for (const list of LISTS.filter(({ tab }) => tab === view.tab)) {
    stored.set(list.position, {
      selection: selectionOf(list, view),
      position: view[list.position],
    });
  }
}

/** The view after a change, with the positions that still belong to its lists. */
export function changedView(view: View, change: Partial<View>): View {
  const next = { ...view, ...change };
  for (const list of LISTS) {
    if (list.position in change) continue;
    const known = next.tab === view.tab ? null : stored.get(list.position);
    if (known?.selection === selectionOf(list, next)) {
      next[list.position] = known.position as never;
    } else if (list.selectedBy.some((part) => part in change)) next[list.position] = null;
  }
  return withOwnPositions(next);
}

/** A view without the positions in lists of other tabs. */
export function withOwnPositions(view: View): View {
  const none: Partial<View> = {};
  for (const { tab, position } of LISTS) if (tab !== view.tab) none[position] = null;
  return { ...view, ...none };
}

function selectionOf({ selectedBy }: List, view: View): string {
  return JSON.stringify(selectedBy.map((part) => view[part]));
}
