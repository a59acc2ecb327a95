import { type ReactNode, useState } from "react";
import { mostDecimals } from "../../util/money";
import { Card } from "../card";
import { Money } from "../money";
import { Segments } from "../segments";
import { type Column, Table } from "../table";
import { Chart } from "./chart";
import "./chart-card.css";
import type { ChartTexts, Choice, Point, Series } from "./series";

type Props = {
  title: string;
  note?: ReactNode;
  texts: ChartTexts;
  series: readonly Series[];
  /** The sum of the stacked series. */
  total?: Series | undefined;
  /** The series of the table, where they are others than those of the chart. */
  listed?: readonly Series[];
  points: readonly Point[] | undefined;
  currency: string;
  isBusy?: boolean;
  isOutdated?: boolean;
  /** In place of the chart: that there is no data, or that it could not be loaded. */
  placeholder?: ReactNode;
  /** Makes series buttons. */
  choice?: Choice | undefined;
  /** Before the choice between chart and table. */
  actions?: ReactNode;
  /** Above the chart: that it could not be refreshed. */
  notice?: ReactNode;
};

/** With more series the table's columns are closer together. */
const FEW = 3;
/** With more than these, a row of the table has several lines. */
const MANY = 5;

/** A chart with a title, and the same amounts as a table. */
export function ChartCard(props: Props) {
  const {
    title,
    note,
    texts,
    series,
    total,
    listed = series,
    points,
    currency,
    isBusy = false,
    isOutdated = false,
  } = props;
  const [display, setDisplay] = useState<"chart" | "table">("chart");
  return (
    <Card
      title={title}
      note={note}
      busy={isBusy}
      flush={display === "table" && !props.placeholder}
      actions={
        <>
          {props.actions}
          <Segments
            label={`${title}: ${texts.display}`}
            small
            options={[
              { id: "chart", label: texts.asChart },
              { id: "table", label: texts.asTable },
            ]}
            selected={display}
            onSelect={setDisplay}
          />
        </>
      }
    >
      {props.notice}
      {props.placeholder ??
        (display === "chart" ? (
          <Chart
            label={title}
            texts={texts}
            series={series}
            total={total}
            points={points}
            currency={currency}
            isOutdated={isOutdated}
            choice={props.choice}
          />
        ) : (
          // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, by arrow keys too
          <section className="chart-table" aria-label={`${title}: ${texts.asTable}`} tabIndex={0}>
            <Table
              label={title}
              columns={columnsOf(listed, points ?? [], texts)}
              rows={points}
              rowKey={(point) => point.id}
              layout={layoutOf(listed)}
              outdated={isOutdated}
            />
          </section>
        ))}
    </Card>
  );
}

function layoutOf({ length }: readonly Series[]): string {
  if (length > MANY) return "many";
  return length > FEW ? "dense" : "";
}

function columnsOf(
  series: readonly Series[],
  points: readonly Point[],
  texts: ChartTexts,
): Column<Point>[] {
  return [
    {
      key: "period",
      header: texts.period,
      cell: (point) => (
        <span>
          <bdi>{point.label}</bdi>
          {point.isPartial && <span className="sub-line">{texts.partial}</span>}
          {point.remark !== undefined && (
            <span className="sub-line remark">
              <bdi>{point.remark}</bdi>
            </span>
          )}
        </span>
      ),
    },
    ...series.map(({ id, label }) => {
      const decimals = mostDecimals(
        points.flatMap(({ amounts: { [id]: amount } }) => amount ?? []),
      );
      return {
        key: id,
        header: label,
        numeric: true,
        cell: ({ amounts }: Point) => {
          const amount = amounts[id];
          return amount ? <Money value={amount} decimals={decimals} /> : "—";
        },
      };
    }),
  ];
}
