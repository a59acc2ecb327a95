// The names of time zones and the people of their largest cities, from moment-timezone at build time: all
// of its data would be too much for a page.

import moment from "moment-timezone";
import meta from "moment-timezone/data/meta/latest.json" with { type: "json" };
import type { Plugin } from "vite";

const NAME = "virtual:zones";
const LOADED = `\0${NAME}`;
const PER_UNIT = 100_000;

/** A module of the lines `zone|country|hundred thousand people|abbreviations`. */
export function zones(): Plugin {
  return {
    name: "zones",
    resolveId: (id) => (id === NAME ? LOADED : null),
    load: (id) => (id === LOADED ? `export default ${JSON.stringify(lines())};` : null),
  };
}

function lines(): string[] {
  return Object.values(meta.zones).map(({ name, countries }) => {
    const zone = moment.tz.zone(name);
    // An alias of another zone has that zone's people, so it counts none.
    const people = zone?.name === name ? zone.population / PER_UNIT : 0;
    return [name, countries[0], Math.round(people), abbreviations(name).join(" ")].join("|");
  });
}

/** The abbreviations of winter and summer in the year of the data, without offsets. */
function abbreviations(zone: string): string[] {
  const year = moment.tz.dataVersion.slice(0, 4);
  const found = [`${year}-01-15`, `${year}-07-15`].map((day) => moment.tz(day, zone).zoneAbbr());
  return [...new Set(found)].filter((each) => /^[A-Z]+$/.test(each));
}
