import { shell } from "../../text/shell";
import { usage as t } from "../../text/usage";
import { Segments } from "../../ui/segments";
import { useFacts } from "../account/account-window";
import { show, useView } from "../shared/navigation";
import { toggled } from "../shared/usage-filter";
import { INTERVALS } from "../shared/view";
import { WindowBar } from "../shared/window-bar";
import { Breakdown } from "./breakdown";
import { Daily } from "./daily";
import { DeploymentPage } from "./deployment-page";
import { FilterBar } from "./filter-bar";
import { Spend } from "./spend";
import { UsageExport } from "./usage-export";
import "./usage.css";
import type { UsageScope } from "./usage-scope";
import { USAGE_PRESETS, useUsageWindow } from "./usage-window";

type Props = { account: string; deploymentUrl: string | null };

/** The use of the credit, or a single deployment's. */
export default function Usage({ account, deploymentUrl }: Props) {
  const facts = useFacts();
  const { deployment } = useView();
  return (
    <>
      <h2 className="hidden">{shell.tabs.usage}</h2>
      {deployment === null ? (
        <AllUsage account={account} />
      ) : (
        facts && (
          <DeploymentPage
            key={deployment}
            account={account}
            id={deployment}
            urlTemplate={deploymentUrl}
          />
        )
      )}
    </>
  );
}

/** The figures, chart, breakdown and days of the selected usage. */
function AllUsage({ account }: { account: string }) {
  const facts = useFacts();
  const window = useUsageWindow();
  const { filters, by } = useView();
  const scope: UsageScope = {
    account,
    window,
    filters,
    by: by ?? "DEPLOYMENT",
    toggle: (dimension, value) => show({ filters: toggled(filters, dimension, value) }),
  };
  return (
    <>
      <WindowBar window={window} ownZone={facts?.timeZone ?? null} presets={USAGE_PRESETS}>
        <Segments
          label={t.interval}
          options={INTERVALS.map((id) => ({
            id,
            label: t.intervals[id],
            ...(!window.allowed.includes(id) && { isDisabled: true, title: t.tooMany }),
          }))}
          selected={window.interval}
          onSelect={(next) => show({ interval: next })}
        />
        <div className="toolbar-line">
          <FilterBar scope={scope} />
          <div className="end row">
            <UsageExport scope={scope} />
          </div>
        </div>
      </WindowBar>
      {facts && (
        <>
          <Spend scope={scope} />
          <Breakdown scope={scope} />
          <Daily scope={scope} />
        </>
      )}
    </>
  );
}
