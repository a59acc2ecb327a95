import { text } from "../../util/text";
import { useAccount, useWindow } from "../account-window";
import { WindowBar } from "../window-bar";

/** What the credit went to. */
export default function Usage() {
  const { timeZone } = useAccount();
  const window = useWindow("30d");
  return (
    <>
      <h2 className="hidden">{text.tabs.usage}</h2>
      <WindowBar window={window} ownZone={timeZone} />
    </>
  );
}
