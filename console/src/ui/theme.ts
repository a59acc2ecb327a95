// Dark or light: the system's theme until the reader chooses another, which this browser stores.

import { useSyncExternalStore } from "react";

type Theme = "light" | "dark";

const KEY = "theme";
const dark = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();

function storedTheme(): Theme | null {
  try {
    const theme = localStorage.getItem(KEY);
    return theme === "light" || theme === "dark" ? theme : null;
  } catch {
    return null; // A frame of another site may have no storage.
  }
}

function currentTheme(): Theme {
  const theme = document.documentElement.dataset["theme"];
  return theme === "light" || theme === "dark" ? theme : dark.matches ? "dark" : "light";
}

function apply(theme: Theme | null): void {
  if (theme) document.documentElement.dataset["theme"] = theme;
  for (const listener of listeners) listener();
}

export function loadTheme(): void {
  apply(storedTheme());
  dark.addEventListener("change", () => apply(storedTheme()));
}

export function chooseTheme(theme: Theme): void {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // Without storage the choice lasts as long as the page.
  }
  apply(theme);
}

export function useTheme(): Theme {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, currentTheme);
}
