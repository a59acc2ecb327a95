import { useContext } from "react";
import { ReceiptsDocument, type ReceiptFieldsFragment as Row } from "../../api/generated/graphql";
import { useLoad } from "../../api/use-load";
import { purchases, receipts as t } from "../../text/billing";
import { Instant } from "../../ui/instant";
import { Money } from "../../ui/money";
import type { Column } from "../../ui/table";
import { mostDecimals } from "../../util/money";
import { useAccount, useZone } from "../account/account-window";
import { FeaturesContext } from "../shared/features";
import { show, useView } from "../shared/navigation";
import { DocumentButton, type DocumentKind } from "./document-button";
import { DocumentList } from "./document-list";
import { pageOf } from "./list-pages";
import { usePurchaseUpdates } from "./use-purchase-updates";
import { YearMenu } from "./year-menu";

const KINDS = {
  RECEIPT: "receipt",
  CREDIT_NOTE: "creditNote",
  CANCELLATION: "cancellation",
} as const satisfies Record<Row["kind"], DocumentKind>;

/** The receipts, credit notes and cancellations of the account. */
export function Receipts() {
  const { id: account } = useAccount();
  const { receiptsCursor, size } = useView();
  const { issuesReceipts, issuesStatements } = useContext(FeaturesContext);
  const zone = useZone();
  const load = useLoad(ReceiptsDocument, { account, ...pageOf(receiptsCursor, size) });
  usePurchaseUpdates(account, load.retry);
  const connection = load.data?.account?.receipts ?? undefined;
  return (
    <DocumentList
      title={t.title}
      empty={{ title: t.empty, hint: t.emptyHint }}
      load={load}
      connection={connection}
      columns={columns(zone, connection?.nodes ?? [])}
      cursor={receiptsCursor}
      onTurn={(next, options) => show({ receiptsCursor: next }, options)}
      // The list of statements has it, where there are some.
      actions={!issuesStatements && <YearMenu years={load.data?.account?.documentYears} />}
      issued={issuesReceipts}
    />
  );
}

function columns(zone: string, rows: readonly Row[]): readonly Column<Row>[] {
  const decimals = mostDecimals(rows.map(({ total }) => total));
  return [
    {
      key: "date",
      header: t.columns.date,
      cell: ({ issuedAt }) => <Instant value={issuedAt} zone={zone} withTime />,
    },
    {
      key: "kind",
      header: t.columns.kind,
      cell: ({ kind }) => purchases.documents[KINDS[kind]].name,
    },
    {
      key: "total",
      header: t.columns.total,
      numeric: true,
      cell: ({ total }) => <Money value={total} decimals={decimals} />,
    },
    {
      key: "document",
      header: t.columns.document,
      cell: (row) => <DocumentButton document={row} kind={KINDS[row.kind]} />,
    },
  ];
}
