// The German words that both tabs and the header share. Parameters are already formatted.

import { isolated, pluralsOf } from "../../util/locale";
import { formatCount, formatRowRange } from "../../util/number";
import type { Words } from "../words";

const plural = pluralsOf("de");

export const shared = {
  retry: "Erneut versuchen",

  /** Under a list that shows only its first entries. */
  more: (left: number) =>
    plural(left, {
      one: "1 weiterer Eintrag. Grenzen Sie die Liste mit der Suche ein.",
      other: `${formatCount(left)} weitere Einträge. Grenzen Sie die Liste mit der Suche ein.`,
    }),

  errors: {
    title: "Dieser Teil konnte nicht geladen werden",
    stale: "Die Aktualisierung ist fehlgeschlagen. Die Zahlen sind möglicherweise nicht aktuell.",
    OFFLINE:
      "Der Server ist nicht erreichbar. Wir versuchen es erneut, sobald Sie wieder online sind.",
    THROTTLED:
      "Zu viele Anfragen auf einmal. Warten Sie einen Moment, und versuchen Sie es erneut.",
    QUERY_TOO_COMPLEX: "Das sind zu viele Daten auf einmal. Wählen Sie weniger Tage oder Zeilen.",
    TIMEOUT: "Das hat zu lange gedauert. Wählen Sie weniger Tage, oder versuchen Sie es erneut.",
    SERVICE_UNAVAILABLE:
      "Der Server ist ausgelastet oder startet neu. Versuchen Sie es gleich noch einmal.",
    STORAGE_FULL: "Der Speicher des Servers ist voll.",
    FORBIDDEN: "Ihre Rolle in diesem Konto erlaubt das nicht.",
    NOT_FOUND: "Nicht gefunden, oder Sie haben keinen Zugriff.",
    BAD_CURSOR: "Diese Seite der Liste gibt es nicht mehr. Beginnen Sie mit der ersten Seite.",
    other: (message: string) => `Der Server meldet: ${isolated(message)}`,
    first: "Zur ersten Seite",
  },

  range: {
    label: "Zeitraum",
    presetsLabel: "Vorgegebene Zeiträume",
    from: "Von",
    to: "Bis",
    apply: "Anwenden",
    previousMonth: "Voriger Monat",
    nextMonth: "Nächster Monat",
    presets: {
      "7d": "Letzte 7 Tage",
      "30d": "Letzte 30 Tage",
      "90d": "Letzte 90 Tage",
      "12w": "Letzte 12 Wochen",
      "12m": "Letzte 12 Monate",
      "this-month": "Dieser Monat",
      "last-month": "Voriger Monat",
      "this-year": "Dieses Jahr",
      "last-year": "Voriges Jahr",
      "5y": "Letzte 5 Jahre",
      all: "Seit Beginn",
    },
  },

  zone: {
    label: "Zeitzone",
    search: "Zeitzonen suchen",
    none: "Keine passenden Zeitzonen.",
    own: "Zone des Kontos",
  },

  export: {
    label: "Exportieren",
    formats: {
      CSV: "CSV, für Tabellenkalkulationen",
      XLSX: "Excel-Arbeitsmappe (XLSX)",
      JSONL: "JSON Lines, für Programme",
      PARQUET: "Parquet, für Auswertungen",
      FOCUS: "FOCUS 1.2, für Kostenanalyse-Tools",
    },
    failed: "Der Export ist fehlgeschlagen",
  },

  pages: {
    label: (list: string) => `Seiten: ${list}`,
    previous: "Vorige Seite",
    next: "Nächste Seite",
    size: "Zeilen",
    none: "Keine",
    /** `before` is the number of rows before the page; null where it is not known. */
    summary: (before: number | null, shown: number, total: number) =>
      shown === total
        ? `${formatCount(total)} insgesamt`
        : `${formatRowRange(before, shown)} von ${formatCount(total)}`,
  },

  chart: {
    hint: "Mit den Pfeiltasten wechseln Sie zwischen den Datenpunkten.",
    chooseHint:
      "Mit den Pfeiltasten links und rechts bewegen Sie sich zwischen den Datenpunkten, mit oben und unten zwischen den Gruppen; mit der Eingabetaste filtern Sie nach einer Gruppe.",
    partial: "Laufend",
    unusual: "Ungewöhnlich",
    period: "Zeitraum",
    display: "Darstellung",
    asChart: "Diagramm",
    asTable: "Tabelle",
    share: (part: string, whole: string) => `${part} von ${whole}`,
    range: (low: string, high: string) => `(${low} bis ${high})`,
  },
} satisfies Words["shared"];
