// The drawing of a chart, in a chunk of its own with the library. It does not depend on the pointer or
// the keyboard, so that moving over a thousand bars draws none of them again.

import { memo, type ReactNode } from "react";
import { Bar, CartesianGrid, ComposedChart, Line, ReferenceLine, XAxis, YAxis } from "recharts";
import { toPlotValue } from "../../util/money";
import { type Axes, type Axis, TICK_SIZE } from "./axis";
import type { Frame } from "./frame";
import type { Point, Series } from "./series";

type PlotProps = {
  points: readonly Point[];
  series: readonly Series[];
  axes: Axes;
  frame: Frame;
};

type Row = { id: string; [series: string]: number | string | undefined };

const TICK = { fill: "var(--text-faint)", fontSize: TICK_SIZE };
const PALE = "-pale";
const WIDEST_BAR = 44;

function rowOf({ id, amounts, isPartial }: Point): Row {
  const row: Row = { id };
  for (const [series, amount] of Object.entries(amounts)) {
    row[series] = toPlotValue(amount);
    row[series + PALE] = isPartial ? toPlotValue(amount) : undefined;
  }
  return row;
}

/** Draws every tick of an axis with its label, for which the frame has room. */
function scaleOf({ ticks, domain }: Axis) {
  const labels = new Map(ticks.map(({ value, label }) => [value, label]));
  const values = ticks.map(({ value }) => value);
  return {
    ticks: values,
    domain,
    interval: 0,
    tick: TICK,
    tickLine: false,
    axisLine: false,
    tickFormatter: (value: number) => labels.get(value) ?? "",
  };
}

const Drawing = memo(({ points, series, axes, frame }: PlotProps) => {
  const ticks = new Map(points.map((point) => [point.id, point.tick]));
  const bars = series.filter((each) => each.shape === "bar");
  const lines = series.filter((each) => each.shape === "line");
  return (
    <ComposedChart
      data={points.map(rowOf)}
      width={frame.width}
      height={frame.height}
      margin={{ top: frame.top, right: axes.end ? 0 : frame.end, bottom: 0, left: 0 }}
      accessibilityLayer={false}
      barGap={1}
      barCategoryGap={points.length > frame.width / 8 ? 0 : "18%"}
    >
      <CartesianGrid vertical={false} stroke="var(--line)" />
      {/* Each point has a band, with or without bars: the pointer selects by bands. */}
      <XAxis
        dataKey="id"
        scale="band"
        height={frame.bottom}
        tick={TICK}
        tickLine={false}
        axisLine={false}
        tickFormatter={(id: string) => ticks.get(id) ?? ""}
        interval="equidistantPreserveStart"
        minTickGap={14}
      />
      {/* Of a known width, so that the layer over the plot matches its bars. */}
      <YAxis {...scaleOf(axes.start)} yAxisId="start" width={frame.start} />
      {axes.end && (
        <YAxis {...scaleOf(axes.end)} yAxisId="end" orientation="right" width={frame.end} />
      )}
      <ReferenceLine yAxisId="start" y={0} stroke="var(--line-strong)" />
      {bars.map(({ id, colour }) => (
        <Bar
          key={id}
          dataKey={(row: Row) => (row[id + PALE] === undefined ? row[id] : undefined)}
          yAxisId="start"
          stackId={id}
          fill={`var(--chart-${colour})`}
          maxBarSize={WIDEST_BAR}
          isAnimationActive={false}
        />
      ))}
      {bars.map(({ id, colour }) => (
        <Bar
          key={id}
          dataKey={id + PALE}
          yAxisId="start"
          stackId={id}
          fill={`var(--chart-${colour})`}
          fillOpacity={0.4}
          maxBarSize={WIDEST_BAR}
          isAnimationActive={false}
        />
      ))}
      {lines.map(({ id, colour, axis: side = "start" }) => (
        <Line
          key={id}
          dataKey={id}
          yAxisId={side}
          type="linear"
          stroke={`var(--chart-${colour})`}
          strokeWidth={2}
          dot={points.length === 1}
          isAnimationActive={false}
        />
      ))}
    </ComposedChart>
  );
});

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
