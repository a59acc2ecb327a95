import { UsageDocument } from "../../api/generated/graphql";
import { useLiveLoad } from "../../api/use-live-load";
import { shell } from "../../text/shell";
import { usage as t } from "../../text/usage";
import { Segments } from "../../ui/segments";
import { useAccount, useFacts } from "../account/account-window";
import { show } from "../shared/navigation";
import { INTERVALS } from "../shared/view";
import { WindowBar } from "../shared/window-bar";
import { Breakdown } from "./breakdown";
import { Daily } from "./daily";
import { SpendChart } from "./spend-chart";
import { UsageExport } from "./usage-export";
import "./usage.css";
import { isUsage, withUsageChanges } from "./usage-changes";
import { UsageFigures } from "./usage-figures";
import { USAGE_PRESETS, type UsageWindow, useUsageWindow } from "./usage-window";

/** The use of the credit: figures, chart, breakdown and days. */
export default function Usage({ account }: { account: string }) {
  const facts = useFacts();
  const window = useUsageWindow();
  const { interval } = window;
  return (
    <>
      <h2 className="hidden">{shell.tabs.usage}</h2>
      <WindowBar window={window} ownZone={facts?.timeZone ?? null} presets={USAGE_PRESETS}>
        <div className="end row">
          <Segments
            label={t.interval}
            options={INTERVALS.map((id) => ({
              id,
              label: t.intervals[id],
              ...(!window.allowed.includes(id) && { isDisabled: true, title: t.tooMany }),
            }))}
            selected={interval}
            onSelect={(next) => show({ interval: next })}
          />
          <UsageExport account={account} window={window} />
        </div>
      </WindowBar>
      {facts && <Views window={window} />}
    </>
  );
}

function Views({ window }: { window: UsageWindow }) {
  const { id: account, currency } = useAccount();
  const { interval, from, to, zone } = window;
  const variables = { account, interval, from, to, timeZone: zone };
  const load = useLiveLoad(UsageDocument, variables, {
    account,
    affects: isUsage,
    patch: (send, data) => withUsageChanges(send, data, variables),
  });
  const usage = load.data?.account?.usage;
  return (
    <>
      <UsageFigures usage={usage ?? (load.failure ? null : undefined)} isOutdated={load.previous} />
      <SpendChart usage={usage} load={load} currency={currency} />
      <Breakdown account={account} window={window} />
      <Daily account={account} window={window} />
    </>
  );
}
