// The colours of a dimension's values. A value keeps its colour as long as the browser's tab is open.

import type { Colour } from "../../ui/chart/series";

const COLOURS = [1, 2, 3, 4, 5, 6, 7, 8] as const satisfies readonly Colour[];
/** Colours of more values than these are forgotten, the oldest first. */
const MOST_KNOWN = 200;

/** Values and their colours, the latest last. */
export type Known = Map<string, (typeof COLOURS)[number]>;

/**
 * The colours of values that are shown together, each another one, at most eight. Values that were shown
 * before have theirs; another value gets one that no value had, or that of the value unseen the longest.
 */
export function coloursOf(ids: readonly string[], known: Known): ReadonlyMap<string, Colour> {
  const shown = new Map<string, (typeof COLOURS)[number]>();
  const isFree = (colour: (typeof COLOURS)[number]) => ![...shown.values()].includes(colour);
  for (const id of ids) {
    const colour = known.get(id);
    if (colour && isFree(colour)) shown.set(id, colour);
  }
  for (const id of ids) {
    if (shown.has(id)) continue;
    const unused = COLOURS.find((each) => isFree(each) && ![...known.values()].includes(each));
    const oldest = [...known.values()].find((each) => isFree(each));
    const colour = unused ?? oldest ?? COLOURS.find(isFree);
    if (!colour) continue;
    shown.set(id, colour);
    known.set(id, colour);
  }
  for (const [id, colour] of shown) {
    known.delete(id);
    known.set(id, colour);
  }
  for (const id of [...known.keys()].slice(0, -MOST_KNOWN)) known.delete(id);
  return shown;
}

const stored = new Map<string, Known>();

/** The colours that the values of an account's dimension have had. */
export function knownColours(account: string, by: string): Known {
  const key = `${account} ${by}`;
  const known: Known = stored.get(key) ?? new Map();
  stored.set(key, known);
  return known;
}
