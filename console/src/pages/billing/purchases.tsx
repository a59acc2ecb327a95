import { CreditPurchasesDocument, type CreditPurchasesQuery } from "../../api/generated/graphql";
import { type Load, useLoad } from "../../api/use-load";
import { filter as filterText, purchases as t } from "../../text/billing";
import { Button } from "../../ui/button";
import { Card } from "../../ui/card";
import { EmptyState } from "../../ui/states";
import type { Window } from "../../util/window";
import { useFacts, useZone } from "../account/account-window";
import { StaleNotice } from "../shared/load-states";
import { show, useView } from "../shared/navigation";
import type { View } from "../shared/view";
import { ListFailed, ListPages, pageOf } from "./list-pages";
import { PurchaseExport } from "./purchase-export";
import { PurchaseFilters } from "./purchase-filters";
import { PurchaseTable } from "./purchase-table";
import { PurchaseTotals } from "./purchase-totals";
import "./purchases.css";
import { usePurchaseUpdates, useRefreshOnConnect } from "./use-purchase-updates";

/** The id of the list, for links. */
export const PURCHASES = "purchases";

type Props = {
  account: string;
  window: Window;
  /** Whether the account's facts could not be loaded. */
  isUnknown: boolean;
};

/** Payments and free credit, with their totals. */
export function Purchases({ account, window, isUnknown }: Props) {
  const view = useView();
  const filter = filterOf(view, window);
  const load = useLoad(CreditPurchasesDocument, {
    account,
    ...pageOf(view.cursor, view.size),
    filter,
  });
  usePurchaseUpdates(account, load.retry);
  useRefreshOnConnect(load.retry);
  // The account's facts include its zone.
  const hasFacts = useFacts() !== null;
  const isDated = view.zone !== null || hasFacts || isUnknown;
  return (
    <Card
      title={t.title}
      anchor={PURCHASES}
      flush
      busy={load.loading}
      actions={
        load.failure?.code !== "FORBIDDEN" && (
          <>
            <PurchaseFilters view={view} />
            <PurchaseExport account={account} filter={filter} />
          </>
        )
      }
    >
      <Content view={view} load={load} isFiltered={isFiltered(view, window)} isDated={isDated} />
    </Card>
  );
}

type ContentProps = {
  view: View;
  load: Load<CreditPurchasesQuery>;
  isFiltered: boolean;
  /** Whether the zone of the dates is known. */
  isDated: boolean;
};

function Content({ view, load, isFiltered, isDated }: ContentProps) {
  const zone = useZone();
  const { data, failure, retry } = load;
  const connection = data?.account?.creditPurchases ?? undefined;
  if (failure?.code === "FORBIDDEN")
    return <EmptyState title={t.forbidden} hint={t.forbiddenHint} />;
  if (failure && !connection)
    return <ListFailed failure={failure} retry={retry} onFirst={toFirst} />;
  if (connection?.totalCount === 0) {
    return isFiltered ? (
      <EmptyState
        title={view.search ? t.emptySearch(view.search) : t.emptyFiltered}
        hint={view.search ? t.emptySearchHint : t.emptyFilteredHint}
        action={
          <Button disappears onPress={clearFilters}>
            {filterText.clearAll}
          </Button>
        }
      />
    ) : (
      <EmptyState title={t.empty} hint={t.emptyHint} />
    );
  }
  return (
    <>
      {failure && (
        <div className="inset">
          <StaleNotice retry={retry} />
        </div>
      )}
      <PurchaseTotals totals={connection?.totals} />
      <PurchaseTable
        purchases={isDated ? connection?.nodes : undefined}
        zone={zone}
        expected={view.size}
        outdated={load.previous}
      />
      <ListPages
        list={t.title}
        connection={connection}
        cursor={view.cursor}
        outdated={load.previous}
        size={view.size}
        onTurn={(cursor) => show({ cursor })}
      />
    </>
  );
}

function toFirst(): void {
  show({ cursor: null }, { replace: true });
}

function clearFilters(): void {
  show({ status: [], kind: [], search: "", range: null });
}

function isFiltered(view: View, window: Window): boolean {
  const { status, kind, search } = view;
  return status.length > 0 || kind.length > 0 || search !== "" || window.from !== null;
}

/** The gateway's filter for a view, the same for the list, its totals and its export. */
export function filterOf(view: View, { from, to }: Window) {
  return {
    ...(from && to && { from, to }),
    ...(view.zone && { timeZone: view.zone }),
    ...(view.status.length > 0 && { status: view.status }),
    ...(view.kind.length > 0 && { kind: view.kind }),
    ...(view.search && { search: view.search }),
  };
}
