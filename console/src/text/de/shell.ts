// The German words around the tabs: header, sign-in, and messages in place of an account.

import { isolated } from "../../util/locale";
import type { Words } from "../words";

export const shell = {
  title: "Abrechnung & Verbrauch",

  skip: "Zum Inhalt springen",

  links: { home: "Startseite", help: "Hilfe" },

  tabs: { label: "Abrechnung und Verbrauch", billing: "Abrechnung", usage: "Verbrauch" },

  views: { label: "Ansichten" },

  account: {
    label: "Konto",
    search: "Konten suchen",
    none: "Keine passenden Konten.",
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
    keyHint:
      "Der Schlüssel bleibt nur im Speicher dieser Seite und wird gelöscht, sobald Sie sie schließen.",
    keyInvalid:
      "Das ist kein API-Schlüssel: Er enthält unzulässige Zeichen. Kopieren Sie den Schlüssel noch einmal.",
    keyButton: "Weiter",
    failed: "Die Anmeldung ist fehlgeschlagen",
    expired:
      "Ihre Anmeldung ist abgelaufen. Melden Sie sich erneut an, um zur selben Ansicht zurückzukehren.",
    refused: "Diese Anmeldedaten werden nicht akzeptiert.",
    signedOut: "Sie sind abgemeldet.",
    out: "Abmelden",
  },

  dev: { note: "Entwicklungsmodus: Personen und Konten der Demo", person: "Angemeldet als" },

  theme: { toDark: "Dunkles Design", toLight: "Helles Design" },

  language: {
    label: "Sprache",
    failed:
      "Diese Sprache konnte nicht geladen werden. Prüfen Sie Ihre Verbindung, und versuchen Sie es erneut.",
  },

  lazy: {
    title: "Dieser Teil der Seite konnte nicht geladen werden",
    hint: "Prüfen Sie Ihre Verbindung, und versuchen Sie es erneut. Wenn das nicht hilft, laden Sie die Seite neu: Möglicherweise gibt es eine neue Version.",
    retry: "Erneut versuchen",
  },

  broken: {
    title: "Auf dieser Seite ist ein Fehler aufgetreten",
    hint: "Ihr Konto ist davon nicht betroffen. Laden Sie die Seite neu, um zur selben Ansicht zurückzukehren.",
    retry: "Neu laden",
  },
} satisfies Words["shell"];
