import { useMemo } from "react";
import {
  BalanceHistoryDocument,
  type BalanceHistoryQuery,
  type BalanceHistoryQueryVariables,
} from "../../api/generated/graphql";
import { type SendQuery, useLiveLoad } from "../../api/use-live-load";
import { history as t } from "../../text/billing";
import { shared } from "../../text/shared";
import { ChartCard } from "../../ui/chart/chart-card";
import type { Point, Series } from "../../ui/chart/series";
import { isZero } from "../../util/money";
import { dateIn } from "../../util/time";
import type { Window } from "../../util/window";
import { useAccount } from "../account/account-window";
import { bucketLabel, bucketTick } from "../shared/bucket-label";
import { LoadFailed, StaleNotice } from "../shared/load-states";
import { firstPartial } from "../shared/partial-buckets";
import { type HistoryWindow, historyWindow } from "./history-window";

type Bucket = NonNullable<NonNullable<BalanceHistoryQuery["account"]>["balanceHistory"]>[number];

type Charts = Record<"balance" | "balanceListed" | "flows" | "flowsListed", readonly Series[]>;

function seriesOf(): Charts {
  const closing: Series = { id: "closing", label: t.closing, shape: "line", colour: 1 };
  const flows: Series[] = [
    { id: "purchased", label: t.purchased, shape: "bar", colour: 1 },
    { id: "bonus", label: t.bonus, shape: "bar", colour: 3 },
    { id: "spent", label: t.spent, shape: "bar", colour: 2 },
  ];
  return {
    balance: [closing],
    balanceListed: [closing, { id: "opening", label: t.opening, shape: "line", colour: 2 }],
    flows,
    // The other changes of a balance: opening + purchased + bonus − refunded − spent + adjusted = closing.
    flowsListed: [
      ...flows,
      { id: "refunded", label: t.refunded, shape: "bar", colour: 4 },
      { id: "adjusted", label: t.adjusted, shape: "bar", colour: 5 },
    ],
  };
}

/** How the balance changed: credits, debits and the closing balance of each period. */
export function History({ window }: { window: Window }) {
  const facts = useAccount();
  const { id: account, currency } = facts;
  const shown = useMemo(() => historyWindow(window, facts), [window, facts]);
  const { interval, from, to } = shown;
  const variables = { account, interval, from, to, timeZone: window.zone };
  const load = useLiveLoad(BalanceHistoryDocument, variables, {
    account,
    patch: (send, data) => withChanges(send, data, variables),
  });
  const history = load.data?.account?.balanceHistory ?? undefined;
  const buckets = useMemo(() => history && fromFirst(history), [history]);
  const points = useMemo(() => buckets && pointsOf(buckets, shown), [buckets, shown]);
  const series = useMemo(seriesOf, []);
  const { failure, retry } = load;
  // The card of the purchases explains that there are none, or that this role can't see them.
  if (failure?.code === "FORBIDDEN" || buckets?.length === 0) return null;
  const common = {
    texts: shared.chart,
    points,
    currency,
    isBusy: load.loading,
    isOutdated: load.previous,
    notice: failure && buckets && <StaleNotice retry={retry} />,
    placeholder: failure && !buckets ? <LoadFailed failure={failure} retry={retry} /> : undefined,
  };
  return (
    <div className="history">
      <ChartCard
        title={t.balance}
        series={series.balance}
        listed={series.balanceListed}
        {...common}
      />
      <ChartCard title={t.flows} series={series.flows} listed={series.flowsListed} {...common} />
    </div>
  );
}

/** Load the buckets in progress. They fit the others if their opening balance is unchanged. */
async function withChanges(
  send: SendQuery,
  { account }: BalanceHistoryQuery,
  variables: BalanceHistoryQueryVariables & { timeZone: string },
): Promise<BalanceHistoryQuery | null> {
  const kept = account?.balanceHistory ?? [];
  const at = firstPartial(kept);
  const first = kept[at];
  if (!first) return null;
  const from = dateIn(variables.timeZone, new Date(first.start));
  const found = (await send(BalanceHistoryDocument, { ...variables, from }))?.account;
  const last = found?.balanceHistory;
  const opening = last?.[0];
  if (!last || opening?.start !== first.start) return null;
  if (opening.opening.amount !== first.opening.amount) return null;
  return { account: { ...found, balanceHistory: [...kept.slice(0, at), ...last] } };
}

/** The buckets from the first with a balance or a change. */
function fromFirst(buckets: readonly Bucket[]): readonly Bucket[] {
  const first = buckets.findIndex(
    (each) =>
      !isZero(each.opening) ||
      [each.purchased, each.bonus, each.refunded, each.spent, each.adjusted].some(
        (amount) => !isZero(amount),
      ),
  );
  return first === -1 ? [] : buckets.slice(first);
}

function pointsOf(buckets: readonly Bucket[], { interval, zone, isLong }: HistoryWindow): Point[] {
  const now = new Date();
  return buckets
    .filter((bucket) => new Date(bucket.start) <= now)
    .map((bucket) => ({
      id: bucket.start,
      label: bucketLabel(bucket, interval, zone),
      tick: bucketTick(bucket, interval, zone, isLong),
      amounts: {
        opening: bucket.opening,
        purchased: bucket.purchased,
        bonus: bucket.bonus,
        spent: bucket.spent,
        refunded: bucket.refunded,
        adjusted: bucket.adjusted,
        closing: bucket.closing,
      },
      isPartial: bucket.partial,
    }));
}
