import { type RefObject, useLayoutEffect, useRef, useState } from "react";
import { flushSync } from "react-dom";
import { type Axis, widthOf } from "./axis";

/** The size of a chart, and the margins around its plot in pixels: they are for the labels. */
export type Frame = {
  width: number;
  height: number;
  top: number;
  bottom: number;
  start: number;
  end: number;
};

const TOP = 8;
const BOTTOM = 28;
/** The least width of labels, so that the plots of several charts align. */
const LABELS = 58;
const NO_LABELS = 10;
/** The space on both sides of a label, together. */
const AROUND_LABEL = 10;
/** The size on paper: about the width of a sheet, to which CSS fits it. */
const PRINTED = { width: 640, height: 240 };

/** The frame of a chart that fills its element; null until the element's size is known. */
export function useFrame(axis: Axis): [RefObject<HTMLDivElement | null>, Frame | null] {
  const element = useRef<HTMLDivElement | null>(null);
  const [size, setSize] = useState<{ width: number; height: number } | null>(null);
  const isPrinted = usePrinted();
  useLayoutEffect(() => {
    if (!element.current) return;
    const observer = new ResizeObserver(([entry]) => {
      if (!entry) return;
      const { width, height } = entry.contentRect;
      setSize((old) => (old?.width === width && old.height === height ? old : { width, height }));
    });
    observer.observe(element.current);
    return () => observer.disconnect();
  }, []);
  if (!size || size.width === 0) return [element, null];
  const drawn = isPrinted ? PRINTED : size;
  const start = roomFor(axis);
  return [element, { ...drawn, top: TOP, bottom: BOTTOM, start, end: NO_LABELS }];
}

function roomFor({ ticks }: Axis): number {
  const widest = Math.max(...ticks.map(({ label }) => widthOf(label)));
  return Math.max(LABELS, Math.ceil(widest) + AROUND_LABEL);
}

/** Whether the page is being printed. The browser prints at once, so the change is rendered at once. */
function usePrinted(): boolean {
  const [isPrinted, setPrinted] = useState(false);
  useLayoutEffect(() => {
    const begin = () => flushSync(() => setPrinted(true));
    const end = () => setPrinted(false);
    addEventListener("beforeprint", begin);
    addEventListener("afterprint", end);
    return () => {
      removeEventListener("beforeprint", begin);
      removeEventListener("afterprint", end);
    };
  }, []);
  return isPrinted;
}
