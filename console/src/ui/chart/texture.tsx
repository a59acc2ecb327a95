// Textures, so that stacked bars differ without their colours too. The legend has the same.

import type { Colour } from "./series";

/** The lines of each texture in a square of six pixels; the first colour has none. */
const LINES: Partial<Record<Colour, string>> = {
  2: "M0 6 6 0M-1 1 1 -1M5 7 7 5",
  3: "M0 3h6",
  4: "M0 0 6 6M-1 5 1 7M5 -1 7 1",
  5: "M2 2h2v2h-2z",
  6: "M3 0v6",
  7: "M0 6 6 0M0 0 6 6",
  8: "M0 3h6M3 0v6",
};
const SIZE = 6;

const entries = Object.entries(LINES);

export function Textures({ id }: { id: string }) {
  return (
    <defs>
      {entries.map(([colour, lines]) => (
        <pattern
          key={colour}
          id={`${id}${colour}`}
          width={SIZE}
          height={SIZE}
          patternUnits="userSpaceOnUse"
        >
          <path className="chart-texture" d={lines} />
        </pattern>
      ))}
    </defs>
  );
}

type Props = { id: string; colour: Colour; path: string };

/** A shape filled with the texture of a colour. */
export function Texture({ id, colour, path }: Props) {
  return LINES[colour] && <path d={path} fill={`url(#${id}${colour})`} />;
}
