import { useRef } from "react";
import { UNSAFE_PortalProvider as PortalProvider } from "react-aria/PortalProvider";
import { OverviewDocument } from "../api/generated/graphql";
import { useLoad } from "../api/use-load";
import { late } from "../ui/late";
import { Skeleton } from "../ui/skeleton";
import { EmptyState } from "../ui/states";
import { Tabs } from "../ui/tabs";
import type { Settings } from "../util/settings";
import { text } from "../util/text";
import { AccountContext } from "./account-window";
import { type AccountName, useAccounts } from "./accounts";
import { BalancePanel } from "./balance-panel";
import { Billing } from "./billing/billing";
import { Header } from "./header";
import { LoadFailed } from "./stale-notice";
import { show, type Tab, useView } from "./view";

// Its charts are heavier than all the rest.
const Usage = late(() => import("./usage/usage"), <Skeleton lines={6} wide />);

type Props = { settings: Settings; name: string | null; told: readonly AccountName[] };

export function Home({ settings, name, told }: Props) {
  const view = useView();
  const known = useAccounts(told);
  const account = view.account ?? known.accounts[0]?.id ?? null;
  const overlays = useRef<HTMLDivElement>(null);
  return (
    // What pops up stands in the main landmark, not beside all of them.
    <PortalProvider getContainer={() => overlays.current}>
      <a className="skip" href="#content">
        {text.skip}
      </a>
      <Header settings={settings} name={name} account={account} known={known} />
      <main id="content" tabIndex={-1}>
        <div className="page">
          <h1 className="hidden">{text.title}</h1>
          {account ? (
            // Another account is another page: no figure of one is ever shown as the other's.
            <AccountPage key={account} account={account} tab={view.tab} settings={settings} />
          ) : known.failure ? (
            <LoadFailed failure={known.failure} retry={known.retry} />
          ) : known.loading ? (
            <Skeleton lines={6} wide />
          ) : (
            <EmptyState title={text.account.noAccounts} hint={text.account.noAccountsHint} />
          )}
        </div>
        <div ref={overlays} />
      </main>
    </PortalProvider>
  );
}

type AccountProps = { account: string; tab: Tab; settings: Settings };

function AccountPage({ account, tab, settings }: AccountProps) {
  const { data, failure, retry } = useLoad(OverviewDocument, { account });
  const facts = data?.account ?? null;
  if (failure?.code === "NOT_FOUND") {
    return <EmptyState title={text.account.notFound} hint={text.account.notFoundHint} />;
  }
  if (failure && !facts) {
    return <LoadFailed failure={failure} retry={retry} />;
  }
  return (
    <AccountContext value={facts}>
      <BalancePanel account={account} facts={facts} topUpUrl={settings.topUpUrl} />
      <Tabs
        label={text.tabs.label}
        selected={tab}
        onSelect={(next) => show({ tab: next })}
        tabs={[
          { id: "billing", title: text.tabs.billing, content: <Billing account={account} /> },
          {
            id: "usage",
            title: text.tabs.usage,
            content: facts && <Usage />,
          },
        ]}
      />
    </AccountContext>
  );
}
