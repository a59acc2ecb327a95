// A part of the page that is loaded when it is first shown. If its code does not load, because there is
// no network, or the gateway is down or has another release by now, an error takes its place and
// the rest of the page stays.

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

/** The words of the error, and how to be called back when loading may succeed again. */
export const LazyContext = createContext({
  texts: { title: "", hint: "", retry: "" },
  onReconnect: (_listener: () => void) => () => {},
});

type Loaded<Props> = { default: ComponentType<Props> };

/** Returns the component, with `placeholder` in its place until its code has loaded. */
export function lazy<Props extends object>(
  load: () => Promise<Loaded<Props>>,
  placeholder: ReactNode = null,
): ComponentType<Props> {
  let known: ComponentType<Props> | null = null;

  // biome-ignore lint/correctness/noComponentHookFactories: called by modules, once, as React's lazy is
  return function Lazy(props: Props) {
    const [Part, setPart] = useState(() => known);
    const [hasFailed, setFailed] = useState(false);
    const { texts, onReconnect } = use(LazyContext);

    const start = useCallback(() => {
      setFailed(false);
      load().then(
        (loaded) => {
          known = loaded.default;
          setPart(() => loaded.default);
        },
        () => setFailed(true),
      );
    }, []);

    const isLoaded = Part !== null;
    useEffect(() => {
      if (isLoaded) return;
      start();
      return onReconnect(start);
    }, [isLoaded, start, onReconnect]);

    if (Part) return <Part {...props} />;
    if (!hasFailed) return placeholder;
    return (
      <ErrorState
        title={texts.title}
        message={texts.hint}
        retryLabel={texts.retry}
        onRetry={start}
      />
    );
  };
}
