import { type RefObject, useLayoutEffect, useRef, useState } from "react";
import { flushSync } from "react-dom";

/** The plot's place in the chart: what is outside of it is for the labels of the axes. */
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
const LABELS = 58;
const NO_LABELS = 10;
/** What is drawn for paper: about as wide as a sheet, to which it is fitted. */
const PRINTED = { width: 640, height: 240 };

/** The frame of a chart as wide and as high as its element; null until that is known. */
export function useFrame(withEndAxis: boolean): [RefObject<HTMLDivElement | null>, Frame | null] {
  const element = useRef<HTMLDivElement | null>(null);
  const [size, setSize] = useState<{ width: number; height: number } | null>(null);
  const isPrinted = usePrinted();
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
  const end = withEndAxis ? LABELS : NO_LABELS;
  const drawn = isPrinted ? PRINTED : size;
  return [element, { ...drawn, top: TOP, bottom: BOTTOM, start: LABELS, end }];
}

/** Whether the page is being printed: what is drawn for it has to be there at once. */
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
