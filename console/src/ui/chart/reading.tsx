// A point of a chart in words: for the tooltip, and as a sentence for screen readers.

import { isolated } from "../../util/locale";
import { formatMoney, isZero } from "../../util/money";
import { Key } from "./legend";
import type { ChartTexts, Point, Series } from "./series";

export type Reading = {
  point: Point | undefined;
  series: readonly Series[];
  total: Series | undefined;
  /** The series that is read alone, with the total. */
  highlighted: string | null;
  texts: ChartTexts;
};

export function Tooltip({ point, series, total, highlighted, texts }: Reading) {
  if (!point) return null;
  const shown = series.filter((each) => isRead(point, each));
  return (
    <>
      <p className="tooltip-title">
        <bdi>{point.label}</bdi>
      </p>
      <dl>
        {shown.map((each) => (
          <div key={each.id} className={each.id === highlighted ? "highlighted" : ""}>
            <dt>
              <Key series={each} />
              <bdi>{each.label}</bdi>
            </dt>
            <dd>{amountOf(point, each, texts)}</dd>
          </div>
        ))}
        {total && point.amounts[total.id] && (
          <div className="tooltip-total">
            <dt>{total.label}</dt>
            <dd>{amountOf(point, total, texts)}</dd>
          </div>
        )}
      </dl>
      {point.isPartial && <p className="faint">{texts.partial}</p>}
      {point.remark !== undefined && (
        <p className="tooltip-remark">
          <bdi>{point.remark}</bdi>
        </p>
      )}
    </>
  );
}

export function sentenceOf({ point, series, total, highlighted, texts }: Reading): string {
  if (!point) return "";
  const alone = series.filter(({ id }) => id === highlighted);
  const others = total ? [total, ...series] : series;
  const read = alone.length > 0 ? [...alone, ...(total ? [total] : [])] : others;
  const amounts = read
    .filter((each) => isRead(point, each) || each.id === highlighted)
    .flatMap((each) => {
      const amount = amountOf(point, each, texts);
      return amount === null ? [] : [`${isolated(each.label)} ${amount}`];
    });
  const rest = [point.isPartial ? texts.partial : null, point.remark ?? null];
  return `${isolated(point.label)}: ${[...amounts, ...rest].filter((each) => each !== null).join(", ")}`;
}

/** Of stacked series only those are read that have spend in the point. */
function isRead({ amounts }: Point, { id, stack }: Series): boolean {
  const amount = amounts[id];
  return amount !== undefined && (stack === undefined || !isZero(amount));
}

function amountOf({ amounts }: Point, { id, range }: Series, texts: ChartTexts): string | null {
  const amount = amounts[id];
  if (!amount) return null;
  const low = range && amounts[range.low];
  const high = range && amounts[range.high];
  if (!low || !high) return formatMoney(amount);
  return `${formatMoney(amount)} ${texts.range(formatMoney(low), formatMoney(high))}`;
}
