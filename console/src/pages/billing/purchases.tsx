import { CreditPurchasesDocument, type CreditPurchasesQuery } from "../../api/generated/graphql";
import { type Load, useLoad } from "../../api/use-load";
import { purchases as t, filter as words } from "../../text/billing";
import { Button } from "../../ui/button";
import { Card } from "../../ui/card";
import { EmptyState } from "../../ui/states";
import type { Window } from "../../util/window";
import { useFacts, useZone } from "../account/account-window";
import { show, useView } from "../shared/navigation";
import { StaleNotice } from "../shared/stale-notice";
import type { View } from "../shared/view";
import { ListFailed, ListPages, pageOf } from "./list-pages";
import { PurchaseExport } from "./purchase-export";
import { PurchaseFilters } from "./purchase-filters";
import { PurchaseTable } from "./purchase-table";
import { PurchaseTotals } from "./purchase-totals";
import "./purchases.css";
import { useLateLook, usePurchaseUpdates } from "./purchase-updates";

/** What a link to the list leads to. */
export const PURCHASES = "purchases";

type Props = {
  account: string;
  window: Window;
  /** Whether the account's facts could not be loaded. */
  isUnknown: boolean;
};

/** The history of what was paid and given, and what it adds up to. */
export function Purchases({ account, window, isUnknown }: Props) {
  const view = useView();
  const filter = filterOf(view, window);
  const load = useLoad(CreditPurchasesDocument, {
    account,
    ...pageOf(view.cursor, view.size),
    filter,
  });
  usePurchaseUpdates(account, load.retry);
  useLateLook(load.retry);
  // The account's own zone comes with its facts.
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
  /** Whether it is known which zone's dates are shown. */
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
          <Button fleeting onPress={clearFilters}>
            {words.clearAll}
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

/** The filter of a view, as the gateway takes it; a list, a total and an export have the same. */
export function filterOf(view: View, { from, to }: Window) {
  return {
    ...(from && to && { from, to }),
    ...(view.zone && { timeZone: view.zone }),
    ...(view.status.length > 0 && { status: view.status }),
    ...(view.kind.length > 0 && { kind: view.kind }),
    ...(view.search && { search: view.search }),
  };
}
