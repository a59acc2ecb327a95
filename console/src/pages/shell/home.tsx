import { useEffect, useRef, useState } from "react";
import { UNSAFE_PortalProvider as PortalProvider } from "react-aria/PortalProvider";
import { OverviewDocument } from "../../api/generated/graphql";
import { currentSubject } from "../../api/session";
import type { Settings } from "../../api/settings";
import { useLoad } from "../../api/use-load";
import { useLanguage } from "../../text/language";
import { shell } from "../../text/shell";
import { late } from "../../ui/late";
import { Skeleton } from "../../ui/skeleton";
import { EmptyState } from "../../ui/states";
import { Tabs } from "../../ui/tabs";
import { isolated } from "../../util/locale";
import { AccountContext } from "../account/account-window";
import { type AccountName, useAccounts } from "../account/accounts";
import { BalancePanel } from "../account/balance-panel";
import { useToday } from "../account/use-today";
import { Billing } from "../billing/billing";
import { show, useView } from "../shared/navigation";
import { LoadFailed } from "../shared/stale-notice";
import type { Tab } from "../shared/view";
import { Header } from "./header";
import { useTitle } from "./use-title";

// Its charts are heavier than all the rest.
const Usage = late(() => import("../usage/usage"), <Skeleton lines={6} wide />);

type Props = { settings: Settings; name: string | null; told: readonly AccountName[] };

export function Home({ settings, name, told }: Props) {
  const view = useView();
  const language = useLanguage();
  const known = useAccounts(told);
  const account = view.account ?? known.accounts[0]?.id ?? null;
  const overview = useOverview(account);
  const overlays = useRef<HTMLDivElement>(null);
  const chosen = known.accounts.find((each) => each.id === account);
  const accountName = chosen?.name ?? overview.facts?.name ?? null;
  useTitle(settings, accountName && isolated(accountName), shell.tabs[view.tab]);
  const isWritten = view.account !== null;
  const { cursor, activityCursor, dailyUntil } = view;
  useEffect(() => {
    // Another person's first account is another one, and a link is for them too.
    if (!account || isWritten) return;
    show({ account, cursor, activityCursor, dailyUntil }, { replace: true });
  }, [account, isWritten, cursor, activityCursor, dailyUntil]);
  return (
    // What pops up stands in the main landmark, not beside all of them.
    <PortalProvider getContainer={() => overlays.current}>
      <a className="skip" href="#content">
        {shell.skip}
      </a>
      <Header
        settings={settings}
        name={name}
        account={account}
        accountName={accountName}
        known={known}
      />
      <main id="content" tabIndex={-1}>
        <div className="page">
          <h1 className="hidden">{shell.title}</h1>
          {account ? (
            // Another account is another page: no figure of one is ever shown as the other's. So is
            // another language: nothing that was made from words is kept.
            <AccountPage
              key={`${account} ${language}`}
              account={account}
              overview={overview}
              tab={view.tab}
              settings={settings}
            />
          ) : known.failure ? (
            <LoadFailed failure={known.failure} retry={known.retry} />
          ) : known.loading ? (
            <Skeleton lines={6} wide />
          ) : (
            <EmptyState
              title={shell.account.noAccounts}
              hint={shell.account.noAccountsHint(currentSubject())}
            />
          )}
        </div>
        <div ref={overlays} />
      </main>
    </PortalProvider>
  );
}

/** What is known of an account; of the one before, nothing. */
function useOverview(account: string | null) {
  const pause = account === null;
  const load = useLoad(OverviewDocument, { account: account ?? "" }, { pause });
  const { data, failure, previous, retry } = load;
  const facts = (!previous && data?.account) || null;
  useTurnOfDay(facts?.timeZone, retry);
  return { facts, failure, retry };
}

/** A burn rate and a runway are of complete days: read them again when one more is. */
function useTurnOfDay(zone: string | undefined, read: () => void): void {
  const today = useToday(zone ?? "UTC");
  const last = useRef({ zone, today });
  useEffect(() => {
    const { zone: lastZone, today: lastDay } = last.current;
    last.current = { zone, today };
    if (zone && zone === lastZone && today !== lastDay) read();
  }, [zone, today, read]);
}

type AccountProps = {
  account: string;
  overview: ReturnType<typeof useOverview>;
  tab: Tab;
  settings: Settings;
};

function AccountPage({ account, overview, tab, settings }: AccountProps) {
  const { facts, failure, retry } = overview;
  // What works without the facts stays while they are asked for again.
  const [hasFailed, setFailed] = useState(false);
  if (failure && !hasFailed) setFailed(true);
  const isUnknown = hasFailed && !facts;
  if (failure?.code === "NOT_FOUND") {
    return <EmptyState title={shell.account.notFound} hint={shell.account.notFoundHint} />;
  }
  return (
    <AccountContext value={facts}>
      <BalancePanel
        account={account}
        facts={facts}
        failure={facts ? null : failure}
        retry={retry}
        topUpUrl={settings.topUpUrl}
        portalUrl={settings.portalUrl}
      />
      <Tabs
        label={shell.tabs.label}
        selected={tab}
        onSelect={(next) => show({ tab: next })}
        tabs={[
          {
            id: "billing",
            title: shell.tabs.billing,
            content: <Billing account={account} isUnknown={isUnknown} />,
          },
          {
            id: "usage",
            title: shell.tabs.usage,
            content: (facts || isUnknown) && <Usage account={account} />,
          },
        ]}
      />
    </AccountContext>
  );
}
