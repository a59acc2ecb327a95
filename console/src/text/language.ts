// The language of the page: the browser's until the reader chooses another, which this browser stores.
// English is part of each module of words; another language is loaded when it is needed.

import { useSyncExternalStore } from "react";
import { browserLanguage, LANGUAGES, type Language, language, setLanguage } from "../util/locale";
import type { Words } from "./words";

const KEY = "language";
const loaders: Record<Language, () => Promise<Words | null>> = {
  en: async () => null,
  de: async () => (await import("./de")).german,
};

let words: Words | null = null;
const receivers = new Set<(words: Words | null) => void>();
const listeners = new Set<() => void>();

/** Pass the words to `receive` now and whenever the language changes; null stands for English. */
export function onWords(receive: (words: Words | null) => void): void {
  receivers.add(receive);
  if (words) receive(words);
}

function storedLanguage(): Language | null {
  try {
    const stored = localStorage.getItem(KEY);
    return LANGUAGES.find((each) => each === stored) ?? null;
  } catch {
    return null; // A frame of another site may have no storage.
  }
}

async function apply(next: Language): Promise<void> {
  words = await loaders[next]();
  setLanguage(next);
  document.documentElement.lang = next;
  document.documentElement.dir = "ltr";
  for (const receive of receivers) receive(words);
  for (const listener of listeners) listener();
}

/** Use the reader's language, or English where its words do not load. */
export async function loadLanguage(): Promise<void> {
  await apply(storedLanguage() ?? browserLanguage()).catch(() => apply("en"));
}

/** Rejects, and changes nothing, where the words cannot be loaded. */
export async function chooseLanguage(next: Language): Promise<void> {
  await apply(next);
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // Without storage the choice lasts as long as the page.
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
