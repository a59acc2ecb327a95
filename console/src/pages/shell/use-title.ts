import { useEffect } from "react";
import type { Settings } from "../../api/settings";
import { shell } from "../../text/shell";

/** Set the title of the browser's tab: `shown`, the most specific first, then page and platform. */
export function useTitle({ platform }: Pick<Settings, "platform">, ...shown: (string | null)[]) {
  const parts = [...shown, shell.title, platform];
  const title = parts.filter((each) => each !== null).join(" · ");
  useEffect(() => {
    document.title = title;
  }, [title]);
}
