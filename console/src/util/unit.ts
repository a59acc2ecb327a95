// Units of meters for people: `gib-hour`, as programs write it, is a GiB hour.

const SYMBOLS: Record<string, string> = {
  kb: "kB",
  kib: "KiB",
  mib: "MiB",
  gib: "GiB",
  tib: "TiB",
};

/** The symbol of a unit, `word` around it where it is used for hours; what is no such name stays. */
export function hoursOf(unit: string, word: (symbol: string) => string): string {
  const [, of, hour] = /^([a-z]{2,4})(-hour)?$/.exec(unit) ?? [];
  if (of === undefined) return unit;
  const symbol = SYMBOLS[of] ?? of.toUpperCase();
  return hour ? word(symbol) : symbol;
}
