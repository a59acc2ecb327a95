import { useEffect, useRef, useState } from "react";
import { useSubscription } from "urql";
import type { Failure } from "../../api/errors";
import { BalanceUpdatedDocument, type OverviewQuery } from "../../api/generated/graphql";
import { low as lowText, balance as t } from "../../text/account";
import { ButtonLink } from "../../ui/button";
import { Figures } from "../../ui/figures";
import { Money } from "../../ui/money";
import { Sentence } from "../../ui/sentence";
import { Skeleton } from "../../ui/skeleton";
import { Notice } from "../../ui/states";
import { isolated } from "../../util/locale";
import { formatMoney, isNegative } from "../../util/money";
import {
  dateIn,
  daysBetween,
  formatDate,
  formatDateRange,
  formatDaysAhead,
  formatInstant,
  formatTimeWithSeconds,
} from "../../util/time";
import { useZone } from "./account-window";
import "./balance-panel.css";
import { LoadFailed, RetryButton } from "../shared/stale-notice";
import { LiveMark } from "./live-mark";
import { useToday } from "./use-today";

type Facts = NonNullable<OverviewQuery["account"]>;
type Balance = Facts["balance"];
type Props = {
  account: string;
  facts: Facts | null;
  /** Why there are no facts. */
  failure: Failure | null;
  retry: () => void;
  topUpUrl: string | null;
  portalUrl: string | null;
};

/** What is left and for how long: always there, and it moves by itself. */
export function BalancePanel({ account, facts, failure, retry, topUpUrl, portalUrl }: Props) {
  const [pushed] = useSubscription({ query: BalanceUpdatedDocument, variables: { account } });
  const balance = useLatest(facts?.balance, pushed.data?.balanceUpdated.balance);
  const zone = useZone();
  const today = useToday(zone);
  // Runways are days in the account's own zone.
  const ownZone = facts?.timeZone ?? "UTC";
  const isDated = facts !== null || failure !== null;
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
              {balance && isDated ? (
                <time dateTime={balance.asOf} title={formatInstant(balance.asOf, zone)}>
                  <Sentence>{t.asOf(asOf(balance.asOf, zone, today))}</Sentence>
                </time>
              ) : (
                <Skeleton />
              )}
            </p>
          </>
        )}
      </div>
      {failure && !balance ? (
        <LoadFailed failure={failure} retry={retry} />
      ) : (
        <Figures
          figures={[
            {
              label: t.burn,
              value: balance ? <Burn balance={balance} /> : <Skeleton />,
              note: balance ? burnHint(balance) : <Skeleton />,
            },
            {
              label: t.runsOut,
              value: balance ? <Sentence>{runsOut(balance)}</Sentence> : <Skeleton />,
              note: balance && isDated ? runsOutHint(balance, ownZone) : <Skeleton />,
            },
          ]}
        />
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

/** The one that came last of those with the highest version: a threshold or a new day repeats one. */
function useLatest(...balances: (Balance | undefined)[]): Balance | undefined {
  const known = useRef<(Balance | undefined)[]>([]);
  const latest = useRef<Balance | undefined>(undefined);
  for (const [place, balance] of balances.entries()) {
    const isNew = balance && balance !== known.current[place];
    if (isNew && balance.version >= (latest.current?.version ?? 0)) latest.current = balance;
  }
  known.current = balances;
  return latest.current;
}

/** The amount; for a moment it is marked when it moves, and whoever does not see it is told. */
function Available({ balance: { available, version } }: { balance: Balance }) {
  const first = useRef(version);
  const [moved, setMoved] = useState(false);
  useEffect(() => {
    if (version === first.current) return;
    first.current = version;
    setMoved(true);
    const timer = setTimeout(() => setMoved(false), 1200);
    return () => clearTimeout(timer);
  }, [version]);
  const tone = isNegative(available) ? " negative" : "";
  return (
    <>
      <span className={`amount${moved ? " moved" : ""}${tone}`}>
        <Money value={available} />
      </span>
      <span className="hidden" role="status">
        {moved && t.updated(formatMoney(available))}
      </span>
    </>
  );
}

function asOf(instant: string, zone: string, today: string): string {
  const day = dateIn(zone, new Date(instant));
  const time = formatTimeWithSeconds(instant, zone);
  return day === today ? time : `${formatDate(day)}, ${time}`;
}

function Burn({ balance: { burnRate } }: { balance: Balance }) {
  if (!burnRate) return t.burnNone;
  return (
    <>
      <Money value={burnRate} /> <span className="unit">{t.perDay}</span>
    </>
  );
}

function burnHint({ burnRate }: Balance): string {
  return burnRate ? t.burnHint : t.runwayHint.INSUFFICIENT_HISTORY;
}

function runsOut({ runway: { status, earliest, latest }, version }: Balance): string {
  if (version === 0) return t.isNew;
  if (status !== "ESTIMATED" || !earliest) return t.runway[status];
  if (!latest) return t.beyond(formatDate(earliest));
  return isolated(earliest === latest ? formatDate(earliest) : formatDateRange(earliest, latest));
}

function runsOutHint({ runway: { status, earliest }, version }: Balance, zone: string): string {
  if (version === 0) return t.newHint;
  if (status !== "ESTIMATED" || !earliest) return t.runwayHint[status];
  return formatDaysAhead(daysBetween(dateIn(zone), earliest));
}

type LowBalanceProps = { balance: Balance; thresholds: Facts["lowBalance"] | null };

function LowBalanceNotice({ balance: { low, runway, version }, thresholds }: LowBalanceProps) {
  // An account that never had credit has not used it up.
  const isDepleted = runway.status === "DEPLETED" && version > 0;
  if (!low && !isDepleted) return null;
  return (
    <div className="balance-notice">
      <Notice tone={isDepleted ? "bad" : "warn"}>
        <Sentence>{isDepleted ? lowText.DEPLETED : lowBalance(low, thresholds)}</Sentence>
      </Notice>
    </div>
  );
}

/** Why the balance counts as low, with the threshold that it has reached. */
function lowBalance(low: Balance["low"], thresholds: Facts["lowBalance"] | null): string {
  if (low === "MONEY" && thresholds?.amount) return lowText.MONEY(formatMoney(thresholds.amount));
  if (low === "DAYS" && thresholds?.days) return lowText.DAYS(thresholds.days);
  return lowText.other;
}

/** A balance that was pushed while what else is known of the account did not come. */
function UndatedNotice({ retry }: { retry: () => void }) {
  return (
    <div className="balance-notice">
      <Notice tone="warn" action={<RetryButton retry={retry} />}>
        {t.undated}
      </Notice>
    </div>
  );
}
