import { ActivityDocument, type ActivityQuery } from "../../api/generated/graphql";
import { type Load, useLoad } from "../../api/use-load";
import { activity as t } from "../../text/billing";
import { text } from "../../text/shell";
import { Button } from "../../ui/button";
import { Card } from "../../ui/card";
import { EmptyState } from "../../ui/states";
import type { Window } from "../../util/window";
import { useAccount } from "../account-window";
import { StaleNotice } from "../stale-notice";
import { useBalanceUpdates } from "../usage/usage-updates";
import { CAUSES, show, useView, type View } from "../view";
import { ActivityExport } from "./activity-export";
import { ActivityTable } from "./activity-table";
import { Filter } from "./filter";
import { ListFailed, ListPages, pageOf } from "./list-pages";

/** Every change of the balance, and the balance after it. */
export default function Activity({ window }: { window: Window }) {
  const { id: account } = useAccount();
  const view = useView();
  const filter = filterOf(view, window);
  const page = pageOf(view.activityCursor, view.size);
  const load = useLoad(ActivityDocument, { account, ...page, filter });
  useBalanceUpdates(account, load.retry);
  // Who may not see payments sees it said above, where they would be.
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
            picked={view.cause}
            onPick={(cause) => show({ cause })}
          />
          <ActivityExport account={account} filter={filter} />
        </>
      }
    >
      <Content view={view} window={window} load={load} />
    </Card>
  );
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
        <Button fleeting onPress={() => show({ cause: [], range: null })}>
          {text.filter.clearAll}
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

/** The filter of a view, as the gateway takes it; the list and its export have the same. */
function filterOf(view: View, { from, to }: Window) {
  return {
    ...(from && to && { from, to }),
    ...(view.zone && { timeZone: view.zone }),
    ...(view.cause.length > 0 && { cause: view.cause }),
  };
}
