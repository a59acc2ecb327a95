import { useLiveState } from "../../api/use-session";
import { live } from "../../text/account";

/** Whether what is shown moves by itself, in a word. */
export function LiveMark() {
  const state = useLiveState();
  return (
    <span className={`live live-${state}`} role="status" title={live.hints[state]}>
      {live[state]}
    </span>
  );
}
