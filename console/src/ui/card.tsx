import type { ReactNode } from "react";
import { useId } from "react";
import "./card.css";

type Props = {
  title: string;
  /** Beside the title, such as a count. */
  note?: ReactNode;
  /** At the end of the title's line: filters, an export. */
  actions?: ReactNode;
  /** Whether the content reaches from edge to edge, as a table does. */
  flush?: boolean;
  busy?: boolean;
  /** The id that links lead to. */
  anchor?: string;
  children: ReactNode;
};

/**
 * A titled part of a view: a region that is named by its title. It gets the focus when a button in it
 * disappears.
 */
export function Card({
  title,
  note,
  actions,
  flush = false,
  busy = false,
  anchor,
  children,
}: Props) {
  const id = useId();
  return (
    <section id={anchor} className="card" aria-labelledby={id} aria-busy={busy} tabIndex={-1}>
      <header className="card-head">
        <div className="card-title">
          <h2 id={id}>{title}</h2>
          {note !== undefined && <span className="faint small">{note}</span>}
        </div>
        {actions && <div className="card-actions">{actions}</div>}
      </header>
      <div className={flush ? "card-body flush" : "card-body"}>{children}</div>
    </section>
  );
}
