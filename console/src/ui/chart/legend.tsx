import { useId } from "react";
import { formatMoney, sum } from "../../util/money";
import "./legend.css";
import type { ChartTexts, Choice, Point, Series } from "./series";
import { Texture, Textures } from "./texture";

type Props = {
  series: readonly Series[];
  /** The sum of the stacked series. */
  total: Series | undefined;
  points: readonly Point[];
  texts: ChartTexts;
  choice: Choice | undefined;
  onHighlight: (id: string | null) => void;
};

/** The keys of the series and of the other marks; keys that can be chosen are buttons. */
export function Legend({ series, total, points, texts, choice, onHighlight }: Props) {
  const bar = series.find((each) => each.shape === "bar");
  return (
    <ul className="legend">
      {series.map((each) => (
        <li key={each.id}>
          {choice?.isChoosable(each.id) ? (
            <button
              type="button"
              className="legend-button"
              title={sharesOf(each, total, points, texts)}
              aria-pressed={choice.isChosen(each.id)}
              onClick={() => choice.toggle(each.id)}
              onPointerEnter={() => onHighlight(each.id)}
              onPointerLeave={() => onHighlight(null)}
              onFocus={() => onHighlight(each.id)}
              onBlur={() => onHighlight(null)}
            >
              <Entry series={each} />
            </button>
          ) : (
            <Entry series={each} />
          )}
        </li>
      ))}
      {bar && points.some(({ isPartial }) => isPartial) && (
        <li>
          <span className={`key bar pale chart-${bar.colour}`} />
          {texts.partial}
        </li>
      )}
      {points.some(({ remark }) => remark !== undefined) && (
        <li>
          <span className="key mark" />
          {texts.unusual}
        </li>
      )}
    </ul>
  );
}

/** What a series has in all points, and what all of them have together. */
function sharesOf(
  { id }: Series,
  total: Series | undefined,
  points: readonly Point[],
  texts: ChartTexts,
): string | undefined {
  const summed = (of: string) => {
    const amounts = points.flatMap(({ amounts: { [of]: amount } }) => amount ?? []);
    const [first] = amounts;
    return first && formatMoney(sum(amounts, first.currency));
  };
  const [part, whole] = [summed(id), total && summed(total.id)];
  return part && whole && texts.share(part, whole);
}

function Entry({ series }: { series: Series }) {
  return (
    <>
      <Key series={series} />
      <bdi className="legend-label">{series.label}</bdi>
    </>
  );
}

const SQUARE = "M0 0h10v10h-10z";

/** The colour of a series, and its texture where it is stacked. */
export function Key({ series: { shape, colour, look, stack } }: { series: Series }) {
  const id = useId();
  if (stack === undefined || look) {
    return <span className={`key ${shape} ${look ?? ""} chart-${colour}`} />;
  }
  return (
    <svg className={`key-texture chart-${colour}`} viewBox="0 0 10 10" aria-hidden="true">
      <Textures id={id} />
      <path d={SQUARE} fill="var(--colour)" />
      <Texture id={id} colour={colour} path={SQUARE} />
    </svg>
  );
}
