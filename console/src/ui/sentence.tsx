import { Fragment } from "react";

const ISOLATED = /\u2068([^\u2068\u2069]*)\u2069/;

/** A sentence. Its isolated parts become elements, so that no isolation mark is read aloud or copied. */
export function Sentence({ children }: { children: string }) {
  return children.split(ISOLATED).map((part, at) => {
    // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a sentence do not move
    return at % 2 ? <bdi key={at}>{part}</bdi> : <Fragment key={at}>{part}</Fragment>;
  });
}
