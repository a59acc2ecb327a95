import type { ReactNode } from "react";
import "./figures.css";

export type Figure = { label: string; value: ReactNode; note?: ReactNode; title?: string };

/** A row of named figures. */
export function Figures({ figures, label }: { figures: readonly Figure[]; label?: string }) {
  return (
    <dl className="figures" aria-label={label}>
      {figures.map((figure) => (
        <div key={figure.label} className="figure">
          <dt title={figure.title}>{figure.label}</dt>
          <dd>
            <span className="figure-value">{figure.value}</span>
            {figure.note !== undefined && <span className="figure-note">{figure.note}</span>}
          </dd>
        </div>
      ))}
    </dl>
  );
}
