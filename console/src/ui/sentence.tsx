import { Fragment } from "react";

const ISOLATED = /\u2068([^\u2068\u2069]*)\u2069/;

/** A sentence; what is isolated in it stands in elements, so that no mark of it is read or copied. */
export function Sentence({ children }: { children: string }) {
  return children.split(ISOLATED).map((part, at) => {
    // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a sentence do not move
    return at % 2 ? <bdi key={at}>{part}</bdi> : <Fragment key={at}>{part}</Fragment>;
  });
}
