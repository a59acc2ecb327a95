// A chart: the plot, and over it the point that the pointer or the arrow keys select.

import { useMemo, useState } from "react";
import { lazy } from "../lazy";
import { Skeleton } from "../skeleton";
import "./chart.css";
import { axisOf } from "./axis";
import { type Frame, useFrame } from "./frame";
import { geometryOf, seriesAt } from "./geometry";
import { Legend } from "./legend";
import { Pointer } from "./pointer";
import { sentenceOf, Tooltip } from "./reading";
import type { ChartTexts, Choice, Point, Series } from "./series";
import { stacked } from "./stack";

const Plot = lazy(() => import("./plot"), <Placeholder />);

type Props = {
  label: string;
  texts: ChartTexts;
  series: readonly Series[];
  /** The sum of the stacked series, which is read with each of them. */
  total?: Series | undefined;
  /** Undefined while they load. */
  points: readonly Point[] | undefined;
  currency: string;
  isOutdated?: boolean;
  choice?: Choice | undefined;
};

const NONE: readonly Point[] = [];

export function Chart(props: Props) {
  const { label, texts, series, total, points, currency, isOutdated = false, choice } = props;
  const drawn = useMemo(() => stacked(points ?? NONE, series), [points, series]);
  const axis = useMemo(() => axisOf(drawn, currency), [drawn, currency]);
  const [element, measured] = useFrame(axis);
  const frame = useSame(measured);
  const [marked, setMarked] = useState<string | null>(null);
  const highlighted = series.some(({ id }) => id === marked) ? marked : null;
  const read = (at: number) => ({ point: points?.[at], series, total, highlighted, texts });
  return (
    <figure className={isOutdated ? "chart outdated" : "chart"} aria-label={label}>
      <Legend
        series={series}
        total={total}
        points={points ?? NONE}
        texts={texts}
        choice={choice}
        onHighlight={setMarked}
      />
      <div className="chart-area" ref={element}>
        {points && frame ? (
          <Plot points={points} drawn={drawn} axis={axis} frame={frame} highlighted={highlighted}>
            <Pointer
              label={label}
              hint={choice ? texts.chooseHint : texts.hint}
              frame={frame}
              count={points.length}
              highlighted={highlighted}
              onHighlight={setMarked}
              stackAt={(at) => stackIn(points[at], series)}
              seriesAt={(at, y) =>
                seriesAt(drawn, geometryOf(frame, axis, points.length), at, y + frame.top)
              }
              onChoose={(id) => choice?.isChoosable(id) && choice.toggle(id)}
              describe={(at) => sentenceOf(read(at))}
            >
              {(at) => <Tooltip {...read(at)} />}
            </Pointer>
          </Plot>
        ) : (
          <Placeholder />
        )}
      </div>
    </figure>
  );
}

/** The stacked series with an amount in a point, from below. */
function stackIn(point: Point | undefined, series: readonly Series[]): string[] {
  return series
    .filter(({ id, stack }) => stack !== undefined && point?.amounts[id] !== undefined)
    .map(({ id }) => id);
}

function Placeholder() {
  return (
    <div className="chart-placeholder">
      <Skeleton wide lines={5} />
    </div>
  );
}

/** The same object for an equal frame, so that the plot is not drawn again. */
function useSame(frame: Frame | null): Frame | null {
  const key = JSON.stringify(frame);
  return useMemo(() => JSON.parse(key) as Frame | null, [key]);
}
