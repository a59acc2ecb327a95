import { useEffect, useRef, useState } from "react";
import { UNSAFE_PortalProvider as PortalProvider } from "react-aria/PortalProvider";
import { currentSubject } from "../../api/session";
import type { Settings } from "../../api/settings";
import { useLanguage } from "../../text/language";
import { shell } from "../../text/shell";
import { lazy } from "../../ui/lazy";
import { Skeleton } from "../../ui/skeleton";
import { EmptyState } from "../../ui/states";
import { Tabs } from "../../ui/tabs";
import { isolated } from "../../util/locale";
import { AccountContext } from "../account/account-window";
import { type AccountName, useAccounts } from "../account/accounts";
import { BalancePanel } from "../account/balance-panel";
import { useOverview } from "../account/overview";
import { Billing } from "../billing/billing";
import { FeaturesContext } from "../shared/features";
import { LoadFailed } from "../shared/load-states";
import { show, useView } from "../shared/navigation";
import type { Tab } from "../shared/view";
import { ViewsButton } from "../views/views-button";
import { Header } from "./header";
import { useTitle } from "./use-title";

// Its charts are larger than all the rest.
const Usage = lazy(() => import("../usage/usage"), <Skeleton lines={6} wide />);

type Props = { settings: Settings; name: string | null; presetAccounts: readonly AccountName[] };

export function Home({ settings, name, presetAccounts }: Props) {
  const view = useView();
  const language = useLanguage();
  const accounts = useAccounts(presetAccounts);
  const account = view.account ?? accounts.accounts[0]?.id ?? null;
  const overview = useOverview(account);
  const overlays = useRef<HTMLDivElement>(null);
  const chosen = accounts.accounts.find((each) => each.id === account);
  const accountName = chosen?.name ?? overview.facts?.name ?? null;
  useTitle(settings, accountName && isolated(accountName), shell.tabs[view.tab]);
  useAccountInUrl(account);
  return (
    // Popovers are rendered within the main landmark.
    <PortalProvider getContainer={() => overlays.current}>
      <a className="skip" href="#content">
        {shell.skip}
      </a>
      <Header
        settings={settings}
        name={name}
        account={account}
        accountName={accountName}
        accounts={accounts}
      />
      <main id="content" tabIndex={-1}>
        <div className="page">
          <h1 className="hidden">{shell.title}</h1>
          {account ? (
            // Rendered from scratch for another account, so that no figure of one is shown as the
            // other's; and for another language, so that no old words are kept.
            <AccountPage
              key={`${account} ${language}`}
              account={account}
              overview={overview}
              tab={view.tab}
              settings={settings}
            />
          ) : accounts.failure ? (
            <LoadFailed failure={accounts.failure} retry={accounts.retry} />
          ) : accounts.loading ? (
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

/** Write the shown account into the URL: another person who opens the link has another first account. */
function useAccountInUrl(account: string | null): void {
  const view = useView();
  const isWritten = view.account !== null;
  const { cursor, activityCursor, dailyUntil } = view;
  useEffect(() => {
    if (!account || isWritten) return;
    show({ account, cursor, activityCursor, dailyUntil }, { replace: true });
  }, [account, isWritten, cursor, activityCursor, dailyUntil]);
}

type AccountProps = {
  account: string;
  overview: ReturnType<typeof useOverview>;
  tab: Tab;
  settings: Settings;
};

function AccountPage({ account, overview, tab, settings }: AccountProps) {
  const { facts, failure, retry } = overview;
  // Views that work without the facts stay while a retry is pending.
  const [hasFailed, setFailed] = useState(false);
  if (failure && !hasFailed) setFailed(true);
  const isUnknown = hasFailed && !facts;
  if (failure?.code === "NOT_FOUND") {
    return <EmptyState title={shell.account.notFound} hint={shell.account.notFoundHint} />;
  }
  return (
    <AccountContext value={facts}>
      <FeaturesContext value={settings}>
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
          end={<ViewsButton account={account} />}
          tabs={[
            {
              id: "billing",
              title: shell.tabs.billing,
              content: <Billing account={account} isUnknown={isUnknown} />,
            },
            {
              id: "usage",
              title: shell.tabs.usage,
              content: (facts || isUnknown) && (
                <Usage account={account} deploymentUrl={settings.deploymentUrl} />
              ),
            },
          ]}
        />
      </FeaturesContext>
    </AccountContext>
  );
}
