// The language of the page: the browser's until somebody chooses another, which this browser
// remembers. English is part of the page; another language is loaded when it is needed.

import { useSyncExternalStore } from "react";
import { browserLanguage, LANGUAGES, type Language, language, setLanguage } from "../util/locale";
import type { billing } from "./en/billing";
import type { shell } from "./en/shell";
import type { usage } from "./en/usage";

/** The words of a language, by the part of the page that shows them. */
export type Words = { shell: typeof shell; billing: typeof billing; usage: typeof usage };

const KEY = "language";
const loaders: Record<Language, () => Promise<Words | null>> = {
  // Each part has its English itself.
  en: async () => null,
  de: async () => (await import("./de")).german,
};

let words: Words | null = null;
const followers = new Set<(words: Words | null) => void>();
const listeners = new Set<() => void>();

/** Hand over the words now and whenever the language changes; null stands for English. */
export function followWords(take: (words: Words | null) => void): void {
  followers.add(take);
  if (words) take(words);
}

function chosen(): Language | null {
  try {
    const kept = localStorage.getItem(KEY);
    return LANGUAGES.find((each) => each === kept) ?? null;
  } catch {
    return null; // A frame of another site may have no storage.
  }
}

async function speak(next: Language): Promise<void> {
  words = await loaders[next]();
  setLanguage(next);
  for (const take of followers) take(words);
  for (const listener of listeners) listener();
}

/** Speak the reader's language; English where the words of another do not come. */
export async function loadLanguage(): Promise<void> {
  await speak(chosen() ?? browserLanguage()).catch(() => speak("en"));
}

/** Rejects, and changes nothing, where the words cannot be loaded. */
export async function chooseLanguage(next: Language): Promise<void> {
  await speak(next);
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // It lasts as long as the page, then.
  }
}

export function useLanguage(): Language {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => language,
  );
}
