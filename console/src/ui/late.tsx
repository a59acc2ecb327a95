// A part of the page whose code comes when it is first shown. Where it does not come, because there is
// no network, or the gateway is away or has another release by now, that is said in its place; the
// rest stays.

import {
  type ComponentType,
  createContext,
  type ReactNode,
  use,
  useCallback,
  useEffect,
  useState,
} from "react";
import { ErrorState } from "./states";

/** What is said where code does not come, and how to be called back when it may come again. */
export const LateContext = createContext({
  texts: { title: "", hint: "", retry: "" },
  onReturn: (_listener: () => void) => () => {},
});

type Loaded<Props> = { default: ComponentType<Props> };

/** Returns the component, with `waiting` in its place until its code is there. */
export function late<Props extends object>(
  load: () => Promise<Loaded<Props>>,
  waiting: ReactNode = null,
): ComponentType<Props> {
  let known: ComponentType<Props> | null = null;

  // biome-ignore lint/correctness/noComponentHookFactories: called by modules, once, as React's lazy is
  return function Late(props: Props) {
    const [Part, setPart] = useState(() => known);
    const [hasFailed, setFailed] = useState(false);
    const { texts, onReturn } = use(LateContext);

    const ask = useCallback(() => {
      setFailed(false);
      load().then(
        (loaded) => {
          known = loaded.default;
          setPart(() => loaded.default);
        },
        () => setFailed(true),
      );
    }, []);

    const isThere = Part !== null;
    useEffect(() => {
      if (isThere) return;
      ask();
      return onReturn(ask);
    }, [isThere, ask, onReturn]);

    if (Part) return <Part {...props} />;
    if (!hasFailed) return waiting;
    return (
      <ErrorState title={texts.title} message={texts.hint} retryLabel={texts.retry} onRetry={ask} />
    );
  };
}
