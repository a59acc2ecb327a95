// Units of usage for people: programs write `gib-hour`, people read "GiB hours".

const SYMBOLS: Record<string, string> = {
  kb: "kB",
  kib: "KiB",
  mib: "MiB",
  gib: "GiB",
  tib: "TiB",
};

/**
 * The symbol of a unit (`GiB` for `gib`); for hours of it, what `hours` makes of the symbol. A name of
 * another form is returned as it is.
 */
export function formatUnit(unit: string, hours: (symbol: string) => string): string {
  const [, of, hour] = /^([a-z]{2,4})(-hour)?$/.exec(unit) ?? [];
  if (of === undefined) return unit;
  const symbol = SYMBOLS[of] ?? of.toUpperCase();
  return hour ? hours(symbol) : symbol;
}
