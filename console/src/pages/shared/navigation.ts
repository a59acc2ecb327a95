// The view that the page shows now, and how to show another.

import { useSyncExternalStore } from "react";
import { changedView, storePositions } from "./list-positions";
import type { View } from "./view";
import { readView, writeView } from "./view-url";

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

/** Show another view. Back returns to the previous view, unless it was replaced. */
export function show(change: Partial<View>, { replace = false } = {}): void {
  const url = linkTo(change);
  storePositions(currentView());
  if (replace) history.replaceState(null, "", url);
  else history.pushState(null, "", url);
  for (const listener of listeners) listener();
}

/** The URL of the view after a change. */
export function linkTo(change: Partial<View>): string {
  return writeView(changedView(currentView(), change));
}

export function useView(): View {
  return useSyncExternalStore(subscribe, currentView);
}
