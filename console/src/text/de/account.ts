// The German words of the balance panel. Parameters are already formatted.

import { isolated } from "../../util/locale";
import { formatDays } from "../../util/number";
import type { Words } from "../words";

export const account = {
  balance: {
    title: "Guthaben",
    asOf: (time: string) => `Stand: ${isolated(time)}`,
    undated: "Die Zeitzone des Kontos konnte nicht geladen werden. Zeiten sind in UTC angegeben.",
    addCredit: "Guthaben aufladen",
    portal: "Zahlungsdaten verwalten",
    burn: "Verbrauchsrate",
    perDay: "pro Tag",
    burnHint: "7-Tage-Durchschnitt",
    burnNone: "Noch nicht bekannt",
    runsOut: "Voraussichtlich aufgebraucht",
    runway: {
      ESTIMATED: "",
      INSUFFICIENT_HISTORY: "Noch nicht bekannt",
      IDLE: "Derzeit nicht absehbar",
      DEPLETED: "Bereits aufgebraucht",
      BEYOND_HORIZON: "In mehr als 10 Jahren",
    },
    runwayHint: {
      ESTIMATED: "",
      INSUFFICIENT_HISTORY: "Nach einem vollen Tag Verbrauch",
      IDLE: "Derzeit kein Verbrauch",
      DEPLETED: "Für den weiteren Betrieb bitte aufladen",
      BEYOND_HORIZON: "Bei der aktuellen Verbrauchsrate",
    },
    isNew: "Noch kein Guthaben",
    newHint: "Laden Sie Guthaben auf, um zu beginnen",
    beyond: (day: string) => `${isolated(day)} oder später`,
    updated: (money: string) => `Das Guthaben beträgt jetzt ${money}.`,
  },

  live: {
    connecting: "Verbindung wird hergestellt …",
    live: "Live",
    reconnecting: "Verbindung wird wiederhergestellt …",
    offline: "Offline",
    refused: "Nicht live",
    hints: {
      connecting: "Die Verbindung für Live-Aktualisierungen wird hergestellt.",
      live: "Das Guthaben wird hier laufend aktualisiert.",
      reconnecting:
        "Die Verbindung ist unterbrochen, die Zahlen sind möglicherweise nicht aktuell. Sie wird wiederhergestellt.",
      offline: "Sie sind offline. Die Zahlen werden aktualisiert, sobald Sie wieder online sind.",
      refused:
        "Für Live-Aktualisierungen sind zu viele Seiten geöffnet. Schließen Sie einige, und laden Sie die Seite neu.",
    },
  },

  low: {
    MONEY: (amount: string) => `Niedriges Guthaben: ${isolated(amount)} oder weniger.`,
    DAYS: (days: number) =>
      `Niedriges Guthaben: Bei der aktuellen Verbrauchsrate reicht es noch höchstens ${formatDays(days)}.`,
    other: "Niedriges Guthaben: Der Schwellenwert dieses Kontos ist erreicht.",
    DEPLETED: "Das Guthaben ist aufgebraucht.",
  },
} satisfies Words["account"];
