import { useSyncExternalStore } from "react";
import { dateIn } from "../../util/time";

const LOOK_MS = 30_000;

/** The calendar date in a zone; a page that stays open moves on with it. */
export function useToday(zone: string): string {
  return useSyncExternalStore(onTime, () => dateIn(zone));
}

function onTime(look: () => void): () => void {
  const timer = setInterval(look, LOOK_MS);
  // Timers of a page that nobody sees may rest.
  document.addEventListener("visibilitychange", look);
  return () => {
    clearInterval(timer);
    document.removeEventListener("visibilitychange", look);
  };
}
