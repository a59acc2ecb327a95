import {
  ActivityDocument,
  type ActivityQuery,
  type ActivityQueryVariables,
  type ActivityFieldsFragment as Row,
} from "../../api/generated/graphql";
import { type SendQuery, useLiveLoad } from "../../api/use-live-load";
import type { Load } from "../../api/use-load";
import { filter as filterText, activity as t } from "../../text/billing";
import { Button } from "../../ui/button";
import { Card } from "../../ui/card";
import { EmptyState } from "../../ui/states";
import { type Amount, isZero, subtract } from "../../util/money";
import type { Window } from "../../util/window";
import { useAccount } from "../account/account-window";
import { StaleNotice } from "../shared/load-states";
import { show, useView } from "../shared/navigation";
import { CAUSES, type View } from "../shared/view";
import { ActivityExport } from "./activity-export";
import { ActivityTable } from "./activity-table";
import { Filter } from "./filter";
import { ListFailed, ListPages, pageOf } from "./list-pages";
import { usePurchaseUpdates } from "./use-purchase-updates";

/** Every change of the balance, and the balance after it. */
export default function Activity({ window }: { window: Window }) {
  const { id: account } = useAccount();
  const view = useView();
  const filter = filterOf(view, window);
  const page = pageOf(view.activityCursor, view.size);
  const variables = { account, ...page, filter };
  const load = useLiveLoad(ActivityDocument, variables, {
    account,
    affects: (cause) => view.cause.length === 0 || view.cause.some((each) => each === cause),
    // On a later page, only a change in the number of rows can be seen.
    patch: (send, data) => withChanges(send, data, variables, view.activityCursor === null),
  });
  // A receipt is issued after its payment has succeeded.
  usePurchaseUpdates(account, load.retry);
  // The card of the purchases explains that this role can't see payments.
  if (load.failure?.code === "FORBIDDEN") return null;
  return (
    <Card
      title={t.title}
      flush
      busy={load.loading}
      actions={
        <>
          <Filter
            label={t.causeFilter}
            names={t.causes}
            values={CAUSES}
            selected={view.cause}
            onSelect={(cause) => show({ cause })}
          />
          <ActivityExport account={account} filter={filter} />
        </>
      }
    >
      <Content view={view} window={window} load={load} />
    </Card>
  );
}

/** Load the newest row. The others are unchanged if their number and their balance are. */
async function withChanges(
  send: SendQuery,
  { account }: ActivityQuery,
  { account: id, filter }: ActivityQueryVariables,
  isFirst: boolean,
): Promise<ActivityQuery | null> {
  const kept = account?.ledger;
  const found = (await send(ActivityDocument, { account: id, filter, first: 1 }))?.account;
  const newest = found?.ledger?.nodes[0];
  if (!kept || !newest || found?.ledger?.totalCount !== kept.totalCount) return null;
  if (!isFirst) return { account: { ...found, ledger: kept } };
  const [last, ...others] = kept.nodes;
  if (last?.id !== newest.id || !isZero(subtract(openingOf(last), [openingOf(newest)])))
    return null;
  return { account: { ...found, ledger: { ...kept, nodes: [newest, ...others] } } };
}

function openingOf({ balance, amount }: Row): Amount {
  return subtract(balance, [amount]);
}

type ContentProps = { view: View; window: Window; load: Load<ActivityQuery> };

function Content({ view, window, load }: ContentProps) {
  const { data, failure, retry, previous } = load;
  const connection = data?.account?.ledger ?? undefined;
  if (failure && !connection) {
    return <ListFailed failure={failure} retry={retry} onFirst={toFirst} />;
  }
  if (connection?.totalCount === 0) return <Empty isFiltered={isFiltered(view, window)} />;
  return (
    <>
      {failure && (
        <div className="inset">
          <StaleNotice retry={retry} />
        </div>
      )}
      <ActivityTable
        rows={connection?.nodes}
        zone={window.zone}
        expected={view.size}
        outdated={previous}
      />
      <ListPages
        list={t.title}
        connection={connection}
        cursor={view.activityCursor}
        outdated={previous}
        size={view.size}
        onTurn={(activityCursor) => show({ activityCursor })}
      />
    </>
  );
}

function Empty({ isFiltered }: { isFiltered: boolean }) {
  if (!isFiltered) return <EmptyState title={t.empty} hint={t.emptyHint} />;
  return (
    <EmptyState
      title={t.emptyFiltered}
      hint={t.emptyFilteredHint}
      action={
        <Button disappears onPress={() => show({ cause: [], range: null })}>
          {filterText.clearAll}
        </Button>
      }
    />
  );
}

function toFirst(): void {
  show({ activityCursor: null }, { replace: true });
}

function isFiltered(view: View, window: Window): boolean {
  return view.cause.length > 0 || window.from !== null;
}

/** The gateway's filter for a view, the same for the list and its export. */
function filterOf(view: View, { from, to }: Window) {
  return {
    ...(from && to && { from, to }),
    ...(view.zone && { timeZone: view.zone }),
    ...(view.cause.length > 0 && { cause: view.cause }),
  };
}
