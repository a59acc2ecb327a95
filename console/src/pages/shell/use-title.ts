import { useEffect } from "react";
import type { Settings } from "../../api/settings";
import { shell } from "../../text/shell";

/**
 * Name the browser's tab by what it shows, the most special first, then by the platform; null is for
 * what is not known.
 */
export function useTitle({ platform }: Pick<Settings, "platform">, ...shown: (string | null)[]) {
  const parts = [...shown, shell.title, platform];
  const title = parts.filter((each) => each !== null).join(" · ");
  useEffect(() => {
    document.title = title;
  }, [title]);
}
