import { useLiveState } from "../../api/use-session";
import { live } from "../../text/account";
import "./live-mark.css";

/** The state of live updates, in a word. */
export function LiveMark() {
  const state = useLiveState();
  return (
    <span className={`live live-${state}`} role="status" title={live.hints[state]}>
      {live[state]}
    </span>
  );
}
