import { vi } from "vitest";
import { type Language, setLanguage } from "../util/locale";

/** Set the languages of the browser, and that of the page, until the end of the test. */
export function speak(language: Language, ...browser: string[]): void {
  vi.stubGlobal("navigator", { languages: browser });
  setLanguage(language);
}

/** A text with ordinary spaces: formats contain other ones. */
export function plain(text: string): string {
  return text.replace(/\s/g, " ");
}
