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
  /** The series that stands out. */
  highlighted: string | null;
  onHighlight: (id: string | null) => void;
  /** The stacked series of a point, from below. */
  stackAt: (at: number) => readonly string[];
  /** The stacked series at a distance from the top; null beside all bars. */
  seriesAt: (at: number, y: number) => string | null;
  onChoose: (id: string) => void;
  describe: (at: number) => string;
  /** The tooltip of a point. */
  children: (at: number) => ReactNode;
};

const STEPS: Record<string, number> = { ArrowUp: 1, ArrowDown: -1 };
/** How many presses of Page Down lead through all points. */
const PAGES = 10;

export function Pointer(props: Props) {
  const { label, hint, frame, count, highlighted, onHighlight, describe, children } = props;
  const id = useId();
  const [at, setAt] = useState<number | null>(null);
  const [byKeys, setByKeys] = useState(false);
  // Whether a click chooses the series under it: a first touch only reads it.
  const [isArmed, setArmed] = useState(false);
  const point = at === null ? null : Math.min(at, count - 1);

  function move(event: PointerEvent<HTMLElement>) {
    const { left, top, width } = event.currentTarget.getBoundingClientRect();
    const found = Math.floor(((event.clientX - left) / width) * count);
    const next = Math.max(0, Math.min(count - 1, found));
    const series = props.seriesAt(next, event.clientY - top);
    setByKeys(false);
    setAt(next);
    onHighlight(series);
    if (event.type === "pointerdown") setArmed(next === point && series === highlighted);
  }

  function leave() {
    setAt(null);
    onHighlight(null);
  }

  function press(event: KeyboardEvent) {
    const step = STEPS[event.key];
    if (point !== null && step !== undefined) {
      onHighlight(nextSeries(props.stackAt(point), highlighted, step));
    } else if (point !== null && highlighted !== null && event.key === "Enter") {
      props.onChoose(highlighted);
    } else {
      const next = nextPoint(event.key, point, count);
      if (next === undefined) return;
      if (next === null) onHighlight(null);
      setAt(next);
    }
    event.preventDefault();
    setByKeys(true);
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
        onBlur={leave}
        onPointerMove={move}
        onPointerDown={move}
        onClick={() => isArmed && highlighted !== null && props.onChoose(highlighted)}
        onPointerLeave={(event) => event.pointerType === "mouse" && !byKeys && leave()}
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

/** The series after or before one in a stack; null beyond its ends, where the total is read. */
function nextSeries(stack: readonly string[], id: string | null, step: number): string | null {
  const at = id === null ? (step > 0 ? -1 : stack.length) : stack.indexOf(id);
  return stack[at + step] ?? null;
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
