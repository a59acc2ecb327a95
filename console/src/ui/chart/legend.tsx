import "./legend.css";
import type { Series } from "./series";

/** The colours of the series, and that paler bars are in progress. */
export function Legend({ series, partial }: { series: readonly Series[]; partial: string | null }) {
  const bar = series.find((each) => each.shape === "bar");
  return (
    <ul className="legend">
      {series.map(({ id, label, colour, shape }) => (
        <li key={id}>
          <span className={`key ${shape} chart-${colour}`} />
          {label}
        </li>
      ))}
      {partial && bar && (
        <li>
          <span className={`key bar pale chart-${bar.colour}`} />
          {partial}
        </li>
      )}
    </ul>
  );
}
