// The German words around the tabs. Money, dates and numbers come formatted.

import { isolated, pluralsOf } from "../../util/locale";
import { formatCount, formatDays, formatPlaces } from "../../util/number";
import type { Words } from "../language";

const plural = pluralsOf("de");

function more(left: number): string {
  return plural(left, {
    one: "1 weiterer Eintrag. Grenzen Sie die Liste mit der Suche ein.",
    other: `${formatCount(left)} weitere Einträge. Grenzen Sie die Liste mit der Suche ein.`,
  });
}

export const shell = {
  title: "Abrechnung & Verbrauch",
  skip: "Zum Inhalt springen",
  retry: "Erneut versuchen",

  links: { home: "Startseite", help: "Hilfe" },

  tabs: { label: "Abrechnung und Verbrauch", billing: "Abrechnung", usage: "Verbrauch" },

  account: {
    label: "Konto",
    search: "Konten suchen",
    none: "Kein Konto hat diesen Namen.",
    more,
    loading: "Konten werden geladen …",
    noAccounts: "Sie haben noch auf kein Konto Zugriff",
    noAccountsHint: (id: string | null) =>
      `Bitten Sie Ihren Administrator, Sie zu einem Konto hinzuzufügen.${id ? ` Ihre ID lautet ${isolated(id)}.` : ""}`,
    notFound: "Das Konto wurde nicht gefunden, oder Sie haben keinen Zugriff",
    notFoundHint: "Wählen Sie oben ein anderes Konto, oder melden Sie sich mit anderen Daten an.",
  },

  signIn: {
    title: "Anmelden",
    lead: "Sehen Sie, wie viel Guthaben Sie haben, wie lange es reicht, was Sie bezahlt haben und wofür es verwendet wurde.",
    button: "Anmelden",
    again: "Erneut anmelden",
    leaving: "Die Anmeldeseite wird geöffnet …",
    or: "oder mit einem API-Schlüssel",
    key: "API-Schlüssel",
    keyHint: "Der Schlüssel bleibt im Speicher dieser Seite und ist weg, sobald Sie sie schließen.",
    keyNone:
      "Das ist kein API-Schlüssel: Er enthält Zeichen, die kein Schlüssel hat. Kopieren Sie den Schlüssel noch einmal.",
    keyButton: "Weiter",
    failed: "Die Anmeldung ist fehlgeschlagen",
    expired:
      "Ihre Anmeldung ist abgelaufen. Melden Sie sich erneut an, um zur selben Ansicht zurückzukehren.",
    refused: "Diese Anmeldedaten werden nicht akzeptiert.",
    left: "Sie sind abgemeldet.",
    out: "Abmelden",
  },

  dev: { note: "Entwicklungsmodus: Personen und Konten der Demo", person: "Angemeldet als" },

  theme: { toDark: "Dunkles Design", toLight: "Helles Design" },

  language: {
    label: "Sprache",
    failed:
      "Diese Sprache konnte nicht geladen werden. Prüfen Sie Ihre Verbindung, und versuchen Sie es erneut.",
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

  low: {
    MONEY: (amount: string) => `Niedriges Guthaben: ${isolated(amount)} oder weniger.`,
    DAYS: (days: number) =>
      `Niedriges Guthaben: Bei der aktuellen Verbrauchsrate reicht es noch höchstens ${formatDays(days)}.`,
    other: "Niedriges Guthaben: Der Schwellenwert dieses Kontos ist erreicht.",
    DEPLETED: "Das Guthaben ist aufgebraucht.",
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
    none: "Keine Zeitzone hat diesen Namen.",
    more,
    own: "Zone des Kontos",
  },

  filter: {
    clear: "Zurücksetzen",
    clearAll: "Filter zurücksetzen",
    any: "Alle",
    some: (count: number) => `${formatCount(count)} ausgewählt`,
  },

  export: {
    label: "Exportieren",
    formats: {
      CSV: "CSV, für Tabellenkalkulationen",
      JSONL: "JSON Lines, für Programme",
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
    /** `before` are the rows before those shown, where that is known. */
    summary: (before: number | null, shown: number, total: number) =>
      shown === total
        ? `${formatCount(total)} insgesamt`
        : `${formatPlaces(before, shown)} von ${formatCount(total)}`,
  },

  chart: {
    hint: "Mit den Pfeiltasten wechseln Sie zwischen den Datenpunkten.",
    partial: "Noch nicht abgeschlossen",
    period: "Zeitraum",
    display: "Darstellung",
    asChart: "Diagramm",
    asTable: "Tabelle",
  },

  late: {
    title: "Dieser Teil der Seite konnte nicht geladen werden",
    hint: "Prüfen Sie Ihre Verbindung, und versuchen Sie es erneut. Wenn das nicht hilft, laden Sie die Seite neu: Möglicherweise gibt es eine neue Version.",
    retry: "Erneut versuchen",
  },

  broken: {
    title: "Auf dieser Seite ist ein Fehler aufgetreten",
    hint: "Ihr Konto ist davon nicht betroffen. Laden Sie die Seite neu, um zur selben Ansicht zurückzukehren.",
    retry: "Neu laden",
  },

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
    FORBIDDEN: "Ihre Rolle in diesem Konto umfasst das nicht.",
    NOT_FOUND: "Nicht gefunden, oder Sie haben keinen Zugriff.",
    BAD_CURSOR: "Diese Seite der Liste gibt es nicht mehr. Beginnen Sie mit der ersten Seite.",
    other: (message: string) => `Der Server meldet: ${isolated(message)}`,
    first: "Zur ersten Seite",
  },
} satisfies Words["shell"];
