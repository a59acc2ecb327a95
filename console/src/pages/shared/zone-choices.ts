// Names, abbreviations and countries of time zones, loaded when the list of zones opens.

import zones from "virtual:zones";
import type { Choice } from "../../ui/pick-list";
import { locale } from "../../util/locale";
import { offsetNames, timeZoneNames } from "../../util/time";
import { formerNames } from "../../util/zone-names";

type Zone = { country: string; people: number; abbreviations: string };

const known = new Map<string, Zone>(
  zones.map((line) => {
    const [name = "", country = "", people = "0", abbreviations = ""] = line.split("|");
    return [name, { country, people: Number(people), abbreviations }];
  }),
);

/**
 * The choices with the names that they are found by: names and countries in the reader's language and in
 * English, then the abbreviations of the time zone database. Zones of the reader's country weigh most,
 * then those of the largest cities.
 */
export function withNames(choices: readonly Choice[]): Choice[] {
  const locales = [...new Set([locale, "en"])];
  const regions = locales.flatMap((each) =>
    (["long", "short"] as const).map(
      (style) => new Intl.DisplayNames(each, { type: "region", style }),
    ),
  );
  const { region } = new Intl.Locale(locale).maximize();
  return choices.map((choice) => {
    const { country = "", people = 0, abbreviations = "" } = known.get(choice.id) ?? {};
    const countries = country ? [country, ...regions.map((each) => each.of(country) ?? "")] : [];
    const names = [...offsetNames(choice.id), formerNames(choice.id), ...countries];
    names.push(...locales.flatMap((each) => timeZoneNames(choice.id, each)));
    return {
      ...choice,
      aliases: [[...new Set(names)].join(" "), abbreviations],
      weight: choice.weight ?? (country === region ? 1 : 0) * HOME + people,
    };
  });
}

/** More people than any city has, in the unit of the data. */
const HOME = 10_000;
