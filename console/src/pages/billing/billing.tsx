import { shell } from "../../text/shell";
import { lazy } from "../../ui/lazy";
import { Skeleton } from "../../ui/skeleton";
import { useFacts, useWindow } from "../account/account-window";
import { WindowBar } from "../shared/window-bar";
import { History } from "./history";
import { Purchases } from "./purchases";

// Below the first screen.
const Activity = lazy(() => import("./activity"), <Skeleton lines={6} wide />);
const Documents = lazy(() => import("./documents"), <Skeleton lines={6} wide />);

type Props = {
  account: string;
  /** Whether the account's facts could not be loaded. */
  isUnknown: boolean;
};

/** Payments, refunds, how the balance changed, and the documents of all of it. */
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
      {facts && <Documents />}
    </>
  );
}
