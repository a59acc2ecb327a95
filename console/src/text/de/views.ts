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
} satisfies Words["views"];
