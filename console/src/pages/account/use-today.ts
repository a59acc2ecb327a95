import { useEffect, useRef, useSyncExternalStore } from "react";
import { dateIn } from "../../util/time";

const CHECK_MS = 30_000;

/** The current date in a zone; it changes while the page stays open. */
export function useToday(zone: string): string {
  return useSyncExternalStore(onTime, () => dateIn(zone));
}

/** Check now and then, and when the page is seen again; returns what ends it. */
export function onTime(check: () => void): () => void {
  let timer: ReturnType<typeof setTimeout>;
  const wait = () => {
    // At full minutes too: a day begins with one.
    timer = setTimeout(
      () => {
        check();
        wait();
      },
      CHECK_MS - (Date.now() % CHECK_MS),
    );
  };
  wait();
  // The browser may pause the timers of a hidden page.
  document.addEventListener("visibilitychange", check);
  return () => {
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", check);
  };
}

/** Call back at the start of each day in a zone; undefined is a zone that is not known yet. */
export function useNewDay(zone: string | undefined, onNewDay: () => void): void {
  const today = useToday(zone ?? "UTC");
  const last = useRef({ zone, today });
  useEffect(() => {
    const { zone: lastZone, today: lastDay } = last.current;
    last.current = { zone, today };
    if (zone && zone === lastZone && today !== lastDay) onNewDay();
  }, [zone, today, onNewDay]);
}
