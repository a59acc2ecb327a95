import { shell } from "../../text/shell";
import { late } from "../../ui/late";
import { Skeleton } from "../../ui/skeleton";
import { useFacts, useWindow } from "../account/account-window";
import { WindowBar } from "../shared/window-bar";
import { History } from "./history";
import { Purchases } from "./purchases";

// Below what is seen first.
const Activity = late(() => import("./activity"), <Skeleton lines={6} wide />);

type Props = {
  account: string;
  /** Whether the account's facts could not be loaded. */
  isUnknown: boolean;
};

/** What was paid, what was given back, and how the balance moved. */
export function Billing({ account, isUnknown }: Props) {
  const facts = useFacts();
  const window = useWindow("all");
  return (
    <>
      <h2 className="hidden">{shell.tabs.billing}</h2>
      <WindowBar window={window} ownZone={isUnknown ? null : facts?.timeZone} />
      <Purchases account={account} window={window} isUnknown={isUnknown} />
      {facts && <History window={window} />}
      {facts && <Activity window={window} />}
    </>
  );
}
