import { useEffect } from "react";
import { text } from "../text/shell";

/** Name the browser's tab by what it shows, the most special first; null is for what is not known. */
export function useTitle(...shown: (string | null)[]): void {
  const title = [...shown.filter((each) => each !== null), text.title].join(" · ");
  useEffect(() => {
    document.title = title;
  }, [title]);
}
