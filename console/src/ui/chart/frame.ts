import { type RefObject, useLayoutEffect, useRef, useState } from "react";

/** The plot's place in the chart: what is outside of it is for the labels of the axes. */
export type Frame = {
  width: number;
  height: number;
  top: number;
  bottom: number;
  start: number;
  end: number;
  /** Whether there is room for labels at the end. */
  hasEndTicks: boolean;
};

const TOP = 8;
const BOTTOM = 28;
const LABELS = 58;
const NO_LABELS = 10;
const NARROW = 560;

/** The frame of a chart as wide and as high as its element; null until that is known. */
export function useFrame(withEndAxis: boolean): [RefObject<HTMLDivElement | null>, Frame | null] {
  const element = useRef<HTMLDivElement | null>(null);
  const [size, setSize] = useState<{ width: number; height: number } | null>(null);
  useLayoutEffect(() => {
    if (!element.current) return;
    const observer = new ResizeObserver(([entry]) => {
      if (!entry) return;
      const { width, height } = entry.contentRect;
      setSize((was) => (was?.width === width && was.height === height ? was : { width, height }));
    });
    observer.observe(element.current);
    return () => observer.disconnect();
  }, []);
  if (!size || size.width === 0) return [element, null];
  const hasEndTicks = withEndAxis && size.width >= NARROW;
  const end = hasEndTicks ? LABELS : NO_LABELS;
  return [element, { ...size, top: TOP, bottom: BOTTOM, start: LABELS, end, hasEndTicks }];
}
