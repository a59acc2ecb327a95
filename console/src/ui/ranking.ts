// The search of a list: which choices match a query, the best match first.

/** What a choice is found by. */
export type Searchable = {
  label: string;
  note?: string;
  /** Other names that are not shown; the first are common names, the later ones rarer. */
  aliases?: readonly string[];
  /** Among equal matches the heaviest comes first. */
  weight?: number;
};

/** How a word can match a text, the best way first: as a whole word, as its beginning, within it. */
const MATCHES = [
  (word: string) => ` ${word} `,
  (word: string) => ` ${word}`,
  (word: string) => word,
] as const;

/**
 * The choices that match every word of a query. Whole words rank above beginnings, and labels above
 * notes and aliases; among equals the heavier is first. Case and accents do not count.
 */
export function ranked<Choice extends Searchable>(
  choices: readonly Choice[],
  query: string,
): readonly Choice[] {
  const words = normalized(query).split(" ").filter(Boolean);
  if (words.length === 0) return choices;
  return choices
    .map((choice) => ({ choice, rank: rankOf(choice, words) }))
    .filter(({ rank }) => rank !== -1)
    .sort((one, other) => one.rank - other.rank || byWeight(one.choice, other.choice))
    .map(({ choice }) => choice);
}

function rankOf({ label, note = "", aliases = [] }: Searchable, words: readonly string[]): number {
  const [common = "", ...rare] = aliases;
  const texts = [label, `${note} ${common}`, ...rare].map(normalized).filter(Boolean);
  // Each text includes those before it, so that the words of a query may match different texts.
  const cumulative = texts.map((_, at) => ` ${texts.slice(0, at + 1).join(" ")} `);
  return MATCHES.flatMap((match) =>
    cumulative.map((text) => words.every((word) => text.includes(match(word)))),
  ).indexOf(true);
}

function byWeight({ weight: one = 0 }: Searchable, { weight: other = 0 }: Searchable): number {
  return one === other ? 0 : other - one;
}

function normalized(text: string): string {
  return text
    .normalize("NFKD")
    .replace(/\p{Diacritic}/gu, "")
    .replace(/[\s/_]+/g, " ")
    .toLowerCase()
    .trim();
}
