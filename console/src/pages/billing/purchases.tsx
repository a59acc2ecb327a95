import { useCallback } from "react";
import type { Failure } from "../../api/errors";
import { CreditPurchasesDocument, type CreditPurchasesQuery } from "../../api/generated/graphql";
import { type Load, useLoad } from "../../api/use-load";
import { Button } from "../../ui/button";
import { Card } from "../../ui/card";
import { Pagination } from "../../ui/pagination";
import { EmptyState, ErrorState } from "../../ui/states";
import { text } from "../../util/text";
import type { Window } from "../../util/window";
import { useFacts, useZone } from "../account-window";
import { messageOf } from "../failure";
import { LoadFailed, StaleNotice } from "../stale-notice";
import { PAGE_SIZES, show, useView, type View } from "../view";
import { PurchaseExport } from "./purchase-export";
import { PurchaseFilters } from "./purchase-filters";
import { PurchaseTable } from "./purchase-table";
import { PurchaseTotals } from "./purchase-totals";
import "./purchases.css";
import { useLateLook, usePurchaseUpdates } from "./purchase-updates";

type Connection = NonNullable<NonNullable<CreditPurchasesQuery["account"]>["creditPurchases"]>;

const t = text.purchases;

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
  const load = useLoad(CreditPurchasesDocument, { account, ...pageOf(view), filter });
  usePurchaseUpdates(account, load.retry);
  useLateLook(load.retry);
  // The account's own zone comes with its facts.
  const hasFacts = useFacts() !== null;
  const isDated = view.zone !== null || hasFacts || isUnknown;
  return (
    <Card
      title={t.title}
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
  if (failure && !connection) return <Failed failure={failure} retry={retry} />;
  if (connection?.totalCount === 0) {
    return isFiltered ? (
      <EmptyState
        title={t.emptyFiltered}
        hint={t.emptyFilteredHint}
        action={
          <Button fleeting onPress={clearFilters}>
            {text.filter.clearAll}
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
      <Pages connection={connection} view={view} outdated={load.previous} />
    </>
  );
}

/** A cursor that leads nowhere any more is left, so that the list begins anew. */
function Failed({ failure, retry }: { failure: Failure; retry: () => void }) {
  if (failure.code !== "BAD_CURSOR") return <LoadFailed failure={failure} retry={retry} />;
  return (
    <ErrorState
      title={text.errors.title}
      message={messageOf(failure)}
      retryLabel={text.errors.first}
      onRetry={() => show({ cursor: null }, { replace: true })}
    />
  );
}

type PagesProps = { connection: Connection | undefined; view: View; outdated: boolean };

function Pages({ connection, view, outdated }: PagesProps) {
  // The cursors of one list lead nowhere in another.
  const info = outdated ? undefined : connection?.pageInfo;
  const turn = useCallback((cursor: View["cursor"]) => () => cursor && show({ cursor }), []);
  return (
    <Pagination
      texts={text.pages}
      summary={connection ? text.pages.summary(connection.nodes.length, connection.totalCount) : ""}
      hasPrevious={!!info?.hasPreviousPage}
      hasNext={!!info?.hasNextPage}
      onPrevious={turn(info?.startCursor ? { before: info.startCursor } : null)}
      onNext={turn(info?.endCursor ? { after: info.endCursor } : null)}
      size={view.size}
      sizes={PAGE_SIZES}
      onSize={(size) => show({ size })}
    />
  );
}

function clearFilters(): void {
  show({ status: [], kind: [], range: null });
}

function isFiltered(view: View, window: Window): boolean {
  return view.status.length > 0 || view.kind.length > 0 || window.from !== null;
}

/** The filter of a view, as the gateway takes it; a list, a total and an export have the same. */
export function filterOf(view: View, { from, to }: Window) {
  return {
    ...(from && to && { from, to }),
    ...(view.zone && { timeZone: view.zone }),
    ...(view.status.length > 0 && { status: view.status }),
    ...(view.kind.length > 0 && { kind: view.kind }),
  };
}

function pageOf({ cursor, size }: View) {
  if (cursor && "before" in cursor) return { last: size, before: cursor.before };
  return { first: size, after: cursor?.after ?? null };
}
