// The layer over a plot. It handles the pointer and the keys, marks the selected point, shows its tooltip
// and, for the keyboard, announces it to screen readers.

import {
  type CSSProperties,
  type KeyboardEvent,
  type PointerEvent,
  type ReactNode,
  useId,
  useState,
} from "react";
import { Sentence } from "../sentence";
import type { Frame } from "./frame";
import "./pointer.css";

type Props = {
  label: string;
  hint: string;
  frame: Frame;
  count: number;
  describe: (at: number) => string;
  /** The tooltip of a point. */
  children: (at: number) => ReactNode;
};

/** How many presses of Page Down lead through all points. */
const PAGES = 10;

export function Pointer({ label, hint, frame, count, describe, children }: Props) {
  const id = useId();
  const [at, setAt] = useState<number | null>(null);
  const [byKeys, setByKeys] = useState(false);
  const point = at === null ? null : Math.min(at, count - 1);

  function move(event: PointerEvent<HTMLElement>) {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    const next = Math.floor(((event.clientX - left) / width) * count);
    setByKeys(false);
    setAt(Math.max(0, Math.min(count - 1, next)));
  }

  function press(event: KeyboardEvent) {
    const next = nextPoint(event.key, point, count);
    if (next === undefined) return;
    event.preventDefault();
    setByKeys(true);
    setAt(next);
  }

  const place = { top: frame.top, bottom: frame.bottom, left: frame.start, right: frame.end };
  return (
    <>
      <div
        className="pointer"
        style={place}
        role="application"
        aria-label={label}
        aria-describedby={id}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it takes arrow keys
        tabIndex={0}
        onKeyDown={press}
        onFocus={(event) => {
          if (!event.currentTarget.matches(":focus-visible")) return;
          setByKeys(true);
          setAt((old) => old ?? count - 1);
        }}
        onBlur={() => setAt(null)}
        onPointerMove={move}
        onPointerDown={move}
        onPointerLeave={(event) => event.pointerType === "mouse" && !byKeys && setAt(null)}
      >
        {point !== null && (
          <>
            <span className="point-band" style={{ left: share(point), width: share(1) }} />
            <div className="tooltip" style={{ "--at": share(point + 0.5) } as CSSProperties}>
              {children(point)}
            </div>
          </>
        )}
      </div>
      <p id={id} className="hidden">
        {hint}
      </p>
      <p className="hidden" role="status">
        {byKeys && point !== null && <Sentence>{describe(point)}</Sentence>}
      </p>
    </>
  );

  function share(of: number): string {
    return `${(of / count) * 100}%`;
  }
}

/** The point that a key selects; null for none, undefined for a key that is not handled here. */
function nextPoint(key: string, at: number | null, count: number): number | null | undefined {
  const last = count - 1;
  const page = Math.max(1, Math.round(count / PAGES));
  const by = (step: number) => Math.max(0, Math.min(last, (at ?? (step > 0 ? -1 : count)) + step));
  switch (key) {
    case "ArrowRight":
      return by(1);
    case "ArrowLeft":
      return by(-1);
    case "PageDown":
      return by(page);
    case "PageUp":
      return by(-page);
    case "Home":
      return 0;
    case "End":
      return last;
    case "Escape":
      return null;
    default:
      return undefined;
  }
}
