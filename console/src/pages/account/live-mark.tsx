import { useLiveState } from "../../api/use-session";
import { text } from "../../text/shell";

/** Whether what is shown moves by itself, in a word. */
export function LiveMark() {
  const state = useLiveState();
  return (
    <span className={`live live-${state}`} role="status" title={text.live.hints[state]}>
      {text.live[state]}
    </span>
  );
}
