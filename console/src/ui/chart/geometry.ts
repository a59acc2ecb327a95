// Where a chart draws: from values to pixels, and back from the pointer to a bar.

import type { Axis } from "./axis";
import type { Frame } from "./frame";
import type { Span, Stacked } from "./stack";

export type Box = { x: number; y: number; width: number; height: number };

const WIDEST_BAR = 44;
/** Between bars side by side. */
const GAP = 1;
/** The space on each side of a point's bars, as a share of the point's band. */
const AROUND = 0.18;
/** In narrower bands the bars touch each other. */
export const NARROW_BAND = 8;
/** The least space between labels. */
const BETWEEN_LABELS = 14;

export type Geometry = {
  /** The plot without its margins. */
  plot: Box;
  /** The width of each point's band. */
  band: number;
  /** The middle of a point's band. */
  middle: (at: number) => number;
  height: (value: number) => number;
};

export function geometryOf(frame: Frame, { domain: [least, most] }: Axis, count: number): Geometry {
  const plot = {
    x: frame.start,
    y: frame.top,
    width: Math.max(0, frame.width - frame.start - frame.end),
    height: Math.max(0, frame.height - frame.top - frame.bottom),
  };
  const band = plot.width / Math.max(1, count);
  return {
    plot,
    band,
    middle: (at) => plot.x + (at + 0.5) * band,
    height: (value) => plot.y + ((most - value) / (most - least)) * plot.height,
  };
}

/** The start and the width of each bar of a band, by its stack. */
export function columnsOf(drawn: readonly Stacked[], band: number): Map<string, [number, number]> {
  const bars = drawn.filter(({ series }) => series.shape === "bar");
  const stacks = [...new Set(bars.map(stackOf))];
  const room = band < NARROW_BAND ? band : band * (1 - 2 * AROUND);
  const gap = stacks.length > 1 ? GAP : 0;
  const width = Math.min(WIDEST_BAR, (room - gap * (stacks.length - 1)) / stacks.length);
  const start = -(width * stacks.length + gap * (stacks.length - 1)) / 2;
  return new Map(stacks.map((stack, at) => [stack, [start + at * (width + gap), width]]));
}

export function stackOf({ series: { id, stack } }: Stacked): string {
  return stack ?? ` ${id}`;
}

/** The outline of the bars of a series, of those points that `isShown` selects. */
export function barsPath(
  geometry: Geometry,
  [start, width]: [number, number],
  spans: readonly Span[],
  isShown: (at: number) => boolean,
): string {
  return spans
    .map((span, at) => {
      if (!span || span[0] === span[1] || !isShown(at)) return "";
      const [one, other] = [geometry.height(span[0]), geometry.height(span[1])];
      const x = geometry.middle(at) + start;
      return `M${pixels(x)} ${pixels(Math.min(one, other))}h${pixels(width)}v${pixels(Math.abs(one - other))}h${pixels(-width)}z`;
    })
    .join("");
}

/** A line through the ends of spans; it is interrupted where there is none. */
export function linePath(geometry: Geometry, spans: readonly Span[]): string {
  return spans
    .map((span, at) => {
      if (!span) return "";
      const command = spans[at - 1] ? "L" : "M";
      return `${command}${pixels(geometry.middle(at))} ${pixels(geometry.height(span[1]))}`;
    })
    .join("");
}

/** The area between the starts and the ends of ranges. */
export function areaPath(geometry: Geometry, ranges: readonly Span[]): string {
  const known = ranges.flatMap((range, at) => (range ? [{ range, at }] : []));
  const corner = (at: number, value: number) =>
    `${pixels(geometry.middle(at))} ${pixels(geometry.height(value))}`;
  const there = known.map(({ range, at }) => corner(at, range[1]));
  const back = known.toReversed().map(({ range, at }) => corner(at, range[0]));
  return there.length > 1 ? `M${[...there, ...back].join("L")}z` : "";
}

/** Ranges as vertical lines in the middle of their bars. */
export function whiskersPath(
  geometry: Geometry,
  [start, width]: [number, number],
  ranges: readonly Span[],
): string {
  const cap = Math.min(4, width / 4);
  return ranges
    .map((range, at) => {
      if (!range) return "";
      const x = geometry.middle(at) + start + width / 2;
      const [low, high] = range.map(geometry.height) as [number, number];
      const capAt = (y: number) => `M${pixels(x - cap)} ${pixels(y)}h${pixels(2 * cap)}`;
      return `M${pixels(x)} ${pixels(low)}V${pixels(high)}${capAt(low)}${capAt(high)}`;
    })
    .join("");
}

/** The stacked series whose bar is at a height of a point; null beside all of them. */
export function seriesAt(
  drawn: readonly Stacked[],
  geometry: Geometry,
  at: number,
  y: number,
): string | null {
  const found = drawn.find(({ series, spans }) => {
    const span = series.stack === undefined ? null : spans[at];
    if (!span) return false;
    const [one, other] = [geometry.height(span[0]), geometry.height(span[1])];
    return y >= Math.min(one, other) && y < Math.max(one, other);
  });
  return found?.series.id ?? null;
}

/** Which points have their label below the axis: as many as fit at equal distances. */
export function labelled(widths: readonly number[], { plot, band }: Geometry, end: number) {
  const widest = Math.max(0, ...widths);
  const step = Math.max(1, Math.ceil((widest + BETWEEN_LABELS) / Math.max(band, 1e-9)));
  return widths.flatMap((width, at) =>
    at % step === 0 && plot.x + (at + 0.5) * band + width / 2 <= end ? [at] : [],
  );
}

function pixels(length: number): string {
  return String(Math.round(length * 100) / 100);
}
