// A line of text as the gateway accepts it. Lengths are in code points of the NFC form, which is how
// the gateway counts.

// Direction marks can disguise a text: the gateway removes them.
const DIRECTION_MARKS = /[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
// Control characters, lone surrogates and unassigned code points: the gateway refuses them.
const REFUSED = /[\p{Cc}\p{Cs}\p{Cn}]+/gu;
const INVISIBLE = /^[^\p{L}\p{N}\p{P}\p{S}]*$/u;

/** A text as one line of at most `limit` characters; empty where nothing in it is visible. */
export function cleanLine(text: string, limit: number): string {
  const line = text.replace(DIRECTION_MARKS, "").replace(REFUSED, " ").trim();
  return INVISIBLE.test(line) ? "" : truncate(line.normalize("NFC"), limit).trim();
}

/** The first `limit` characters of a text; a shorter text is returned as it is. */
export function truncate(text: string, limit: number): string {
  const characters = [...text.normalize("NFC")];
  return characters.length > limit ? characters.slice(0, limit).join("") : text;
}
