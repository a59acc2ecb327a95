// The German words of the Usage tab.

import { isolated, pluralsOf } from "../../util/locale";
import { formatCount } from "../../util/number";
import { formatUnit } from "../../util/unit";
import type { Words } from "../words";

const plural = pluralsOf("de");

export const usage = {
  interval: "Intervall",
  intervals: { DAY: "Tag", WEEK: "Woche", MONTH: "Monat", YEAR: "Jahr" },
  tooMany: "Zu viele Balken für diesen Zeitraum",
  figures: "Summen dieses Zeitraums",
  total: "Gesamtkosten",
  average: "Tagesdurchschnitt",
  deployments: "Deployments",
  deploymentsPerDay: "Deployments pro Tag",
  none: "—",
  change: { up: "mehr als zuvor", down: "weniger als zuvor", same: "Veränderung" },
  before: (value: string) => `zuvor ${value}`,
  completeDays: "nur vollständige Tage",
  comparedWith: (days: number, dates: string) =>
    plural(days, {
      one: `gegenüber dem Vortag, ${isolated(dates)}`,
      other: `gegenüber den ${formatCount(days)} Tagen davor, ${isolated(dates)}`,
    }),
  notCompared: "Noch nicht genügend Daten für einen Vergleich",
  chart: "Kosten im Zeitverlauf",
  view: "Beträge",
  views: { spend: "Kosten", cumulative: "Kumuliert" },
  spend: "Kosten",
  cumulative: "Kumulierte Kosten",
  completeUntil: (time: string) => `vollständig bis ${isolated(time)}`,
  empty: "Kein Verbrauch in diesem Zeitraum",
  emptyHint: "Wählen Sie einen anderen Zeitraum, oder starten Sie ein Deployment.",
  breakdown: "Aufschlüsselung der Kosten",
  by: "Gruppieren nach",
  dimensions: {
    DEPLOYMENT: "Deployment",
    PROVIDER: "Anbieter",
    GPU_MODEL: "GPU-Modell",
    RESOURCE: "Ressource",
  },
  share: "Anteil",
  sumsTo: "insgesamt",
  more: "Weitere Zeilen anzeigen",
  daily: "Tag für Tag",
  date: "Datum",
  amount: "Betrag",
  resources: "Ressourcen",
  resourceNames: {
    CPU: "CPU",
    MEMORY: "Arbeitsspeicher",
    STORAGE: "Speicherplatz",
    GPU: "GPU",
    NETWORK: "Netzwerk",
    IP: "IP-Adressen",
    OTHER: "Sonstige Ressourcen",
  },
  unit: (unit: string) => formatUnit(unit, (of) => `${of}-Stunden`),
  groups: {
    none: {
      DEPLOYMENT: "Ohne Deployment",
      PROVIDER: "Unbekannter Anbieter",
      GPU_MODEL: "Ohne GPU-Modell",
      RESOURCE: "Unbekannte Ressource",
    },
    other: "Weitere",
  },
  today: "noch nicht abgeschlossen",
} satisfies Words["usage"];
