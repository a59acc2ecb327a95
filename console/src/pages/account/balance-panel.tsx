import { useEffect, useRef, useState } from "react";
import { useSubscription } from "urql";
import type { Failure } from "../../api/errors";
import { BalanceUpdatedDocument } from "../../api/generated/graphql";
import { balance as t } from "../../text/account";
import { ButtonLink } from "../../ui/button";
import { Figures } from "../../ui/figures";
import { Money } from "../../ui/money";
import { Sentence } from "../../ui/sentence";
import { Skeleton } from "../../ui/skeleton";
import { Notice } from "../../ui/states";
import { formatMoney, isNegative } from "../../util/money";
import { dateIn, formatDate, formatInstant, formatTimeWithSeconds } from "../../util/time";
import { LoadFailed, RetryButton } from "../shared/load-states";
import { useZone } from "./account-window";
import "./balance-panel.css";
import { LiveMark } from "./live-mark";
import { LowBalanceNotice } from "./low-balance";
import type { Balance, Facts } from "./overview";
import { runwayFigures } from "./runway";
import { useToday } from "./use-today";

type Props = {
  account: string;
  facts: Facts | null;
  /** Why the facts could not be loaded. */
  failure: Failure | null;
  retry: () => void;
  topUpUrl: string | null;
  portalUrl: string | null;
};

/** The balance and how long it lasts, on both tabs, with live updates. */
export function BalancePanel({ account, facts, failure, retry, topUpUrl, portalUrl }: Props) {
  const [pushed] = useSubscription({ query: BalanceUpdatedDocument, variables: { account } });
  const balance = useLatest(facts?.balance, pushed.data?.balanceUpdated.balance);
  // The dates of a run-out are in the account's own zone; without the facts, in UTC.
  const ownZone = facts?.timeZone ?? (failure ? "UTC" : null);
  return (
    <section className="balance" aria-label={t.title} tabIndex={-1}>
      <div className="balance-now">
        <p className="balance-head">
          <span>{t.title}</span>
          <LiveMark />
        </p>
        {(balance || !failure) && (
          <>
            <p className="balance-amount">
              {balance ? <Available balance={balance} /> : <Skeleton />}
            </p>
            <p className="faint small">
              {balance && ownZone ? <AsOf instant={balance.asOf} /> : <Skeleton />}
            </p>
          </>
        )}
      </div>
      {failure && !balance ? (
        <LoadFailed failure={failure} retry={retry} />
      ) : (
        <Figures figures={runwayFigures(balance, ownZone)} />
      )}
      {(topUpUrl || portalUrl) && (
        <div className="balance-action">
          {topUpUrl && (
            <ButtonLink look="filled" icon="add" href={topUpUrl}>
              {t.addCredit}
            </ButtonLink>
          )}
          {portalUrl && <ButtonLink href={portalUrl}>{t.portal}</ButtonLink>}
        </div>
      )}
      {balance && <LowBalanceNotice balance={balance} thresholds={facts?.lowBalance ?? null} />}
      {balance && failure && <UndatedNotice retry={retry} />}
    </section>
  );
}

/** The newest balance by version; of one version, such as after a new day, the last that arrived. */
function useLatest(...balances: (Balance | undefined)[]): Balance | undefined {
  const known = useRef<(Balance | undefined)[]>([]);
  const latest = useRef<Balance | undefined>(undefined);
  for (const [source, balance] of balances.entries()) {
    const isNew = balance && balance !== known.current[source];
    if (isNew && balance.version >= (latest.current?.version ?? 0)) latest.current = balance;
  }
  known.current = balances;
  return latest.current;
}

/** The amount. A change is highlighted for a moment, and announced to screen readers. */
function Available({ balance: { available, version } }: { balance: Balance }) {
  const shown = useRef(version);
  const [hasMoved, setMoved] = useState(false);
  useEffect(() => {
    if (version === shown.current) return;
    shown.current = version;
    setMoved(true);
    const timer = setTimeout(() => setMoved(false), 1200);
    return () => clearTimeout(timer);
  }, [version]);
  const tone = isNegative(available) ? " negative" : "";
  return (
    <>
      <span className={`amount${hasMoved ? " moved" : ""}${tone}`}>
        <Money value={available} />
      </span>
      <span className="hidden" role="status">
        {hasMoved && t.updated(formatMoney(available))}
      </span>
    </>
  );
}

/** The time of the balance, with its date if that is not today. */
function AsOf({ instant }: { instant: string }) {
  const zone = useZone();
  const today = useToday(zone);
  const day = dateIn(zone, new Date(instant));
  const time = formatTimeWithSeconds(instant, zone);
  return (
    <time dateTime={instant} title={formatInstant(instant, zone)}>
      <Sentence>{t.asOf(day === today ? time : `${formatDate(day)}, ${time}`)}</Sentence>
    </time>
  );
}

/** For a pushed balance of an account with facts that could not be loaded. */
function UndatedNotice({ retry }: { retry: () => void }) {
  return (
    <div className="balance-notice">
      <Notice tone="warn" action={<RetryButton retry={retry} />}>
        {t.undated}
      </Notice>
    </div>
  );
}
