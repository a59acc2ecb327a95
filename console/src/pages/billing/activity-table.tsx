import type { ActivityFieldsFragment as Row } from "../../api/generated/graphql";
import { purchases, activity as t } from "../../text/billing";
import { Instant } from "../../ui/instant";
import { Money } from "../../ui/money";
import { Sentence } from "../../ui/sentence";
import { type Column, Table } from "../../ui/table";
import { isNegative, mostDecimals } from "../../util/money";
import { dateIn, formatDate } from "../../util/time";
import { linkTo, show } from "../shared/navigation";
import "./activity-table.css";
import { DocumentButton, type DocumentKind } from "./document-button";
import { PURCHASES } from "./purchases";
import { readReason } from "./reason";

type Props = {
  rows: readonly Row[] | undefined;
  zone: string;
  expected: number;
  outdated: boolean;
};

export function ActivityTable({ rows, zone, expected, outdated }: Props) {
  return (
    <Table
      label={t.title}
      columns={columns(zone, rows ?? [])}
      rows={rows}
      rowKey={(row) => row.id}
      expected={expected}
      outdated={outdated}
      layout="activity tiered"
    />
  );
}

function columns(zone: string, rows: readonly Row[]): readonly Column<Row>[] {
  const decimals = mostDecimals(rows.map(({ amount }) => amount));
  const balanceDecimals = mostDecimals(rows.map(({ balance }) => balance));
  return [
    {
      key: "date",
      header: t.columns.date,
      cell: ({ at }) => <Instant value={at} zone={zone} withTime />,
    },
    { key: "what", header: t.columns.what, cell: nameOf },
    { key: "description", header: t.columns.description, cell: (row) => <Description row={row} /> },
    {
      key: "amount",
      header: t.columns.amount,
      numeric: true,
      cell: ({ amount }) => <Money value={amount} decimals={decimals} sign="plus" />,
    },
    {
      key: "after",
      header: t.columns.balance,
      numeric: true,
      cell: ({ balance }) => <Money value={balance} decimals={balanceDecimals} />,
    },
    {
      key: "purchase",
      header: t.columns.purchase,
      cell: (row) => <Purchase row={row} zone={zone} />,
    },
  ];
}

/** Free credit is named by its kind. A returned refund or dispute has another name than the original. */
function nameOf({ cause, amount, purchase }: Row): string {
  const isDebit = isNegative(amount);
  if (cause === "REFUND" && !isDebit) return t.refundReturned;
  if (cause === "DISPUTE" && !isDebit) return t.disputeReturned;
  if (cause !== "BONUS") return t.causes[cause];
  if (isDebit) return t.bonusTaken;
  if (!purchase || purchase.kind === "CARD") return t.bonus;
  return purchases.kinds[purchase.kind];
}

function Description({ row: { description, day, purchase } }: { row: Row }) {
  if (day)
    return (
      <span className="faint">
        <Sentence>{t.usageOf(formatDate(day))}</Sentence>
      </span>
    );
  const text = description ? readReason(description) : purchase?.paymentMethod?.displayName;
  return text ? (
    <bdi className="clipped" title={text}>
      {text}
    </bdi>
  ) : (
    <span className="none">{t.none}</span>
  );
}

/** The purchase of a row, and the document of the row itself. */
function Purchase({ row, zone }: { row: Row; zone: string }) {
  const { purchase } = row;
  if (!purchase) return <span className="none">{t.none}</span>;
  const document = documentOf(row);
  return (
    <span className="lines">
      <PurchaseLink purchase={purchase} zone={zone} />
      {document && <DocumentButton {...document} />}
    </span>
  );
}

type LinkProps = { purchase: NonNullable<Row["purchase"]>; zone: string };

/** A link to the purchases of the same day. */
function PurchaseLink({ purchase: { kind, createdAt }, zone }: LinkProps) {
  const day = dateIn(zone, new Date(createdAt));
  const change = { range: { from: day, to: day }, status: [], kind: [], cause: [] };
  return (
    <a
      href={linkTo(change)}
      onClick={(event) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey) return;
        event.preventDefault();
        show(change);
        document.getElementById(PURCHASES)?.focus();
      }}
    >
      <Sentence>{t.purchaseOf(purchases.kinds[kind], formatDate(day))}</Sentence>
    </a>
  );
}

type Document = { document: { id: string; number: string }; kind: DocumentKind };

function documentOf({ cause, amount, purchase, refund }: Row): Document | null {
  if (cause === "PURCHASE") {
    return purchase?.receipt ? { document: purchase.receipt, kind: "receipt" } : null;
  }
  if (cause !== "REFUND") return null;
  if (isNegative(amount)) {
    return refund?.receipt ? { document: refund.receipt, kind: "creditNote" } : null;
  }
  return refund?.cancellation ? { document: refund.cancellation, kind: "cancellation" } : null;
}
