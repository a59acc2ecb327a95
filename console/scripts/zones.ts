// What time zones are called and how many people live in their largest city, from moment-timezone at
// build time: its data is too much for a page.

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
    // One with the same clock as another has that one's people.
    const people = zone?.name === name ? zone.population / PER_UNIT : 0;
    return [name, countries[0], Math.round(people), abbreviations(name).join(" ")].join("|");
  });
}

/** Those of winter and summer in the year of the data; an offset is none. */
function abbreviations(zone: string): string[] {
  const year = moment.tz.dataVersion.slice(0, 4);
  const found = [`${year}-01-15`, `${year}-07-15`].map((day) => moment.tz(day, zone).zoneAbbr());
  return [...new Set(found)].filter((each) => /^[A-Z]+$/.test(each));
}
