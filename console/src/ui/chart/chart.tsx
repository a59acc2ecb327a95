// A chart: the plot, and over it the point that the pointer or the arrow keys select.

import { useMemo } from "react";
import { isolated } from "../../util/locale";
import { formatMoney } from "../../util/money";
import { lazy } from "../lazy";
import { Skeleton } from "../skeleton";
import "./chart.css";
import { axesOf } from "./axis";
import { type Frame, useFrame } from "./frame";
import { Legend } from "./legend";
import { Pointer } from "./pointer";
import type { ChartTexts, Point, Series } from "./series";

const Plot = lazy(() => import("./plot"), <Placeholder />);

type Props = {
  label: string;
  texts: ChartTexts;
  series: readonly Series[];
  /** Undefined while they load. */
  points: readonly Point[] | undefined;
  currency: string;
  isOutdated?: boolean;
};

export function Chart({ label, texts, series, points, currency, isOutdated = false }: Props) {
  const axes = useMemo(() => axesOf(points ?? [], series, currency), [points, series, currency]);
  const [element, measured] = useFrame(axes);
  const frame = useSame(measured);
  const hasPartial = points?.some((point) => point.isPartial) ?? false;
  return (
    <figure className={isOutdated ? "chart outdated" : "chart"} aria-label={label}>
      <Legend series={series} partial={hasPartial ? texts.partial : null} />
      <div className="chart-area" ref={element}>
        {points && frame ? (
          <Plot points={points} series={series} axes={axes} frame={frame}>
            <Pointer
              label={label}
              hint={texts.hint}
              frame={frame}
              count={points.length}
              describe={(at) => sentence(points[at], series, texts)}
            >
              {(at) => <Tooltip point={points[at]} series={series} texts={texts} />}
            </Pointer>
          </Plot>
        ) : (
          <Placeholder />
        )}
      </div>
    </figure>
  );
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

type TooltipProps = { point: Point | undefined; series: readonly Series[]; texts: ChartTexts };

function Tooltip({ point, series, texts }: TooltipProps) {
  if (!point) return null;
  return (
    <>
      <p className="tooltip-title">
        <bdi>{point.label}</bdi>
      </p>
      <dl>
        {series.map(({ id, label, colour, shape }) => {
          const amount = point.amounts[id];
          return (
            amount && (
              <div key={id}>
                <dt>
                  <span className={`key ${shape} chart-${colour}`} />
                  {label}
                </dt>
                <dd>{formatMoney(amount)}</dd>
              </div>
            )
          );
        })}
      </dl>
      {point.isPartial && <p className="faint">{texts.partial}</p>}
    </>
  );
}

function sentence(
  point: Point | undefined,
  series: readonly Series[],
  { partial }: ChartTexts,
): string {
  if (!point) return "";
  const amounts = series.flatMap(({ id, label }) => {
    const amount = point.amounts[id];
    return amount ? [`${label} ${formatMoney(amount)}`] : [];
  });
  return `${isolated(point.label)}: ${[...amounts, ...(point.isPartial ? [partial] : [])].join(", ")}`;
}
