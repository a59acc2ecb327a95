// The German words of the saved views.

import { isolated } from "../../util/locale";
import type { Words } from "../words";

export const views = {
  none: "Noch keine Ansichten. Eine Ansicht behält Zeitraum, Gruppierung und Filter des Verbrauchs.",
  name: "Name dieser Ansicht",
  save: "Speichern",
  replace: "Ersetzen",
  remove: (name: string) => `${isolated(name)} löschen`,
  removed: (name: string) => `Gelöscht: ${isolated(name)}`,
  undo: "Rückgängig",

  errors: {
    full: "Mehr Ansichten lassen sich hier nicht speichern. Löschen Sie zuerst eine.",
    filter: "Der Filter hat zu viele Werte für eine Ansicht. Wählen Sie weniger.",
    gone: "Diese Ansicht wurde inzwischen an anderer Stelle gelöscht.",
  },
} satisfies Words["views"];
