// The drawing itself, in a chunk of its own with the library. It knows of no pointer and no keyboard:
// so moving over a thousand bars draws none of them again.

import { memo, type ReactNode } from "react";
import { Bar, CartesianGrid, ComposedChart, Line, ReferenceLine, XAxis, YAxis } from "recharts";
import { toHeight } from "../../util/money";
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
    row[series] = toHeight(amount);
    row[series + PALE] = isPartial ? toHeight(amount) : undefined;
  }
  return row;
}

/** All ticks of an axis are drawn, by the labels that the frame has room for. */
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
      {/* A band for each point, also where there are no bars: they are what is pointed at. */}
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
      {/* Of a known width, so that what is laid over the plot meets its bars. */}
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

/** The drawing, and what lies over it. */
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
