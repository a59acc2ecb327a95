// One locale for words and formats.
//
// The words are English or German: the language chosen by hand, else the first of the browser's
// languages that is one of the two, else English. Dates, numbers, money and weeks have the formats of
// that same language: of the variety that the browser lists (`en-GB`, `de-AT`), else of the language
// itself. The calendar is always the Gregorian one and the digits are 0 to 9, as on receipts. So a
// browser in Persian or Thai shows English words, English formats and the year of the receipt.

export const LANGUAGES = ["en", "de"] as const;
export type Language = (typeof LANGUAGES)[number];

/** The language of the words. */
export let language: Language = "en";
/** The same language for `Intl` and for the calendar. */
export let locale = localeOf("en");

/** Set the language of words and formats. */
export function setLanguage(next: Language): void {
  language = next;
  locale = localeOf(next);
  const { documentElement: page } = document;
  page.lang = next;
  page.dir = "ltr";
}

/** The first language that both the reader and the page speak. */
export function browserLanguage(): Language {
  for (const each of navigator.languages) {
    const known = LANGUAGES.find((one) => one === baseOf(each));
    if (known) return known;
  }
  return "en";
}

function localeOf(next: Language): string {
  const variety = navigator.languages.find((each) => baseOf(each) === next) ?? next;
  return new Intl.Locale(variety, { calendar: "gregory", numberingSystem: "latn" }).toString();
}

/** `en` of `en-GB`; null for what is no language tag. */
function baseOf(tag: string): string | null {
  try {
    return new Intl.Locale(tag).language;
  } catch {
    return null;
  }
}

/** Makes a format for the locale, once for each locale. */
export function perLocale<Format>(make: (locale: string) => Format): () => Format {
  const made = new Map<string, Format>();
  return () => {
    const known = made.get(locale) ?? make(locale);
    made.set(locale, known);
    return known;
  };
}

type Forms = { one: string; other: string };

/** Chooses the form of a sentence that goes with a count, by the rules of a language. */
export function pluralsOf(of: Language): (count: number, forms: Forms) => string {
  const rules = new Intl.PluralRules(of);
  return (count, { one, other }) => (rules.select(count) === "one" ? one : other);
}

/** Keeps the direction of a name or a date from the words around it, where no element can. */
export function isolated(text: string): string {
  return `\u2068${text}\u2069`;
}
