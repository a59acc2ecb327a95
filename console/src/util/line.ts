// A line of text as the gateway takes it. Characters are code points in NFC, which is how the gateway
// counts them.

// They make a text read as another one: the gateway leaves them out.
const DIRECTIONS = /[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
// Control characters, halves of a pair, and code points that are no characters: the gateway refuses them.
const NO_CHARACTERS = /[\p{Cc}\p{Cs}\p{Cn}]+/gu;
const INVISIBLE = /^[\p{Cf}\p{Z}]*$/u;

/** A line of at most so many characters; empty where nothing of it can be seen. */
export function lineOf(text: string, limit: number): string {
  const line = text.replace(DIRECTIONS, "").replace(NO_CHARACTERS, " ").trim();
  return INVISIBLE.test(line) ? "" : firstOf(line.normalize("NFC"), limit).trim();
}

/** A text up to a number of characters; the text itself where it has no more. */
export function firstOf(text: string, limit: number): string {
  const characters = [...text.normalize("NFC")];
  return characters.length > limit ? characters.slice(0, limit).join("") : text;
}
