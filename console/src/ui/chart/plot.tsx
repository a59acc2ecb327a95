// The drawing of a chart, in a chunk of its own. It does not depend on the pointer's position, so that
// moving over a thousand bars computes none of them again.

import { memo, type ReactNode, useId, useMemo } from "react";
import { type Axis, TICK_SIZE, widthOf } from "./axis";
import type { Frame } from "./frame";
import {
  areaPath,
  barsPath,
  columnsOf,
  type Geometry,
  geometryOf,
  labelled,
  linePath,
  NARROW_BAND,
  stackOf,
  whiskersPath,
} from "./geometry";
import type { Point } from "./series";
import type { Stacked } from "./stack";
import { Texture, Textures } from "./texture";
import "./plot.css";

type PlotProps = {
  points: readonly Point[];
  drawn: readonly Stacked[];
  axis: Axis;
  frame: Frame;
  /** The series that stands out. */
  highlighted: string | null;
};

/** Half the width of a mark, and its distance from its bar. */
const MARK = 4;
const ABOVE = 5;
const TICK = { fill: "var(--text-faint)", fontSize: TICK_SIZE };

const Drawing = memo(({ points, drawn, axis, frame, highlighted }: PlotProps) => {
  const textures = useId();
  const geometry = useMemo(
    () => geometryOf(frame, axis, points.length),
    [frame, axis, points.length],
  );
  const shapes = useMemo(() => shapesOf(drawn, points, geometry), [drawn, points, geometry]);
  const { width, height } = frame;
  return (
    <svg
      aria-hidden="true"
      className={geometry.band < NARROW_BAND ? "narrow" : ""}
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
    >
      <Textures id={textures} />
      <Scale axis={axis} geometry={geometry} />
      {shapes.map(({ series: { id, colour, look = "plain", stack }, paths }) => (
        <g
          key={id}
          className={`chart-series ${look} chart-${colour}${highlighted !== null && highlighted !== id ? " dim" : ""}`}
        >
          <path className="chart-bars" d={paths.bars} />
          <path className="chart-bars pale" d={paths.pale} />
          {stack !== undefined && (
            <Texture id={textures} colour={colour} path={paths.bars + paths.pale} />
          )}
          <path className="chart-area-range" d={paths.area} />
          <path className="chart-range" d={paths.whiskers} />
          <path className="chart-line" d={paths.line} />
          {paths.dot && <circle className="chart-dot" cx={paths.dot[0]} cy={paths.dot[1]} r={3} />}
        </g>
      ))}
      <path className="chart-marks" d={marksPath(points, drawn, geometry)} />
      <Labels points={points} geometry={geometry} frame={frame} />
    </svg>
  );
});

/** The lines of the grid and their labels. */
function Scale({ axis: { ticks }, geometry }: { axis: Axis; geometry: Geometry }) {
  const { plot, height } = geometry;
  return (
    <g className="chart-scale">
      {ticks.map(({ value, label }) => (
        <g key={value}>
          <path
            className={value === 0 ? "chart-zero" : "chart-grid"}
            d={`M${plot.x} ${Math.round(height(value)) + 0.5}h${plot.width}`}
          />
          <text {...TICK} x={plot.x - 8} y={height(value)} dy="0.35em" textAnchor="end">
            {label}
          </text>
        </g>
      ))}
    </g>
  );
}

type LabelsProps = { points: readonly Point[]; geometry: Geometry; frame: Frame };

function Labels({ points, geometry, frame }: LabelsProps) {
  const widths = points.map(({ tick }) => widthOf(tick));
  return (
    <g className="chart-labels">
      {labelled(widths, geometry, frame.width).map((at) => (
        <text
          key={at}
          {...TICK}
          x={geometry.middle(at)}
          y={frame.height - frame.bottom + 18}
          textAnchor="middle"
        >
          {points[at]?.tick}
        </text>
      ))}
    </g>
  );
}

function shapesOf(drawn: readonly Stacked[], points: readonly Point[], geometry: Geometry) {
  const columns = columnsOf(drawn, geometry.band);
  // Ranges of narrow bars are drawn together.
  const isNarrow = geometry.band < NARROW_BAND;
  return drawn.map((each) => {
    const { series, spans, ranges } = each;
    const column = columns.get(stackOf(each)) ?? [0, 0];
    const isBar = series.shape === "bar";
    const isAlone = !isBar && points.length === 1 && spans[0];
    const paths = {
      bars: isBar ? barsPath(geometry, column, spans, (at) => !points[at]?.isPartial) : "",
      pale: isBar ? barsPath(geometry, column, spans, (at) => !!points[at]?.isPartial) : "",
      whiskers: isBar && !isNarrow ? whiskersPath(geometry, column, ranges) : "",
      area: isBar && !isNarrow ? "" : areaPath(geometry, ranges),
      line: isBar ? "" : linePath(geometry, spans),
      dot: isAlone ? ([geometry.middle(0), geometry.height(isAlone[1])] as const) : null,
    };
    return { series, paths };
  });
}

/** A triangle above each point that has a remark. */
function marksPath(points: readonly Point[], drawn: readonly Stacked[], geometry: Geometry) {
  return points
    .map(({ remark }, at) => {
      if (remark === undefined) return "";
      const highest = Math.max(0, ...drawn.map(({ spans }) => spans[at]?.[1] ?? 0));
      const y = Math.max(geometry.plot.y + MARK, geometry.height(highest) - ABOVE);
      return `M${geometry.middle(at)} ${y}l${-MARK} ${-2 * MARK}h${2 * MARK}z`;
    })
    .join("");
}

/** The drawing, and the layer over it. */
export default function Plot({ children, ...props }: PlotProps & { children: ReactNode }) {
  return (
    <>
      <div className="chart-plot" aria-hidden="true" inert>
        <Drawing {...props} />
      </div>
      {children}
    </>
  );
}
