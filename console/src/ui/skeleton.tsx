import "./skeleton.css";

/** Takes the place and the size of content that loads, so that nothing moves when it appears. */
export function Skeleton({ lines = 1, wide = false }: { lines?: number; wide?: boolean }) {
  return (
    <span className={wide ? "skeleton wide" : "skeleton"} aria-hidden="true">
      {Array.from({ length: lines }, (_, line) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the lines are all alike
        <span key={line} />
      ))}
    </span>
  );
}
