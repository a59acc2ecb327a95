// One locale for words and formats.
//
// The words are English or German: the language that the reader chose, else the first of the browser's
// languages that is one of the two, else English. Dates, numbers, money and weeks have the formats of
// the same language: of the variety that the browser lists (`en-GB`, `de-AT`), else of the language
// itself. The calendar is always the Gregorian one and the digits are 0 to 9, as on receipts. A browser
// in Persian or Thai shows English words, English formats and the year of the receipt.

export const LANGUAGES = ["en", "de"] as const;
export type Language = (typeof LANGUAGES)[number];

/** The language of the words. */
export let language: Language = "en";
/** The same language for `Intl` and for the calendar. */
export let locale = localeFor("en");

/** Set the language of words and formats. */
export function setLanguage(next: Language): void {
  language = next;
  locale = localeFor(next);
}

/** The first of the browser's languages that the page has, or English. */
export function browserLanguage(): Language {
  for (const tag of navigator.languages) {
    const known = LANGUAGES.find((each) => each === languageOf(tag));
    if (known) return known;
  }
  return "en";
}

function localeFor(next: Language): string {
  const variety = navigator.languages.find((tag) => languageOf(tag) === next) ?? next;
  return new Intl.Locale(variety, { calendar: "gregory", numberingSystem: "latn" }).toString();
}

/** `en` for `en-GB`; null where the text is no language tag. */
function languageOf(tag: string): string | null {
  try {
    return new Intl.Locale(tag).language;
  } catch {
    return null;
  }
}

/** Make a format when it is first needed, once for each locale. */
export function perLocale<Format>(make: (locale: string) => Format): () => Format {
  const formats = new Map<string, Format>();
  return () => {
    const format = formats.get(locale) ?? make(locale);
    formats.set(locale, format);
    return format;
  };
}

type Forms = { one: string; other: string };

/** Return how to choose the form of a sentence that goes with a count, by the rules of a language. */
export function pluralsOf(of: Language): (count: number, forms: Forms) => string {
  const rules = new Intl.PluralRules(of);
  return (count, { one, other }) => (rules.select(count) === "one" ? one : other);
}

/** Mark a name or a date so that its direction does not mix with the words around it. */
export function isolated(text: string): string {
  return `\u2068${text}\u2069`;
}
