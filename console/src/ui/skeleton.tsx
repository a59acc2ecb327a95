import "./skeleton.css";

/** Where something will be, of its size, so that nothing moves when it comes. */
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
