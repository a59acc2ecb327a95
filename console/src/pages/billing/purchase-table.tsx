import { Fragment } from "react";
import type { CreditPurchaseFieldsFragment as Purchase } from "../../api/generated/graphql";
import { purchases as t } from "../../text/billing";
import { Instant } from "../../ui/instant";
import { StatusBadge, type Tone } from "../../ui/status-badge";
import { type Column, Table } from "../../ui/table";
import { Charged, Credit, None } from "./purchase-sums";
import "./purchase-table.css";
import { DocumentButton } from "./document-button";

type Props = {
  purchases: readonly Purchase[] | undefined;
  zone: string;
  expected: number;
  outdated: boolean;
};

const TONES: Record<Purchase["status"], Tone> = {
  PENDING: "calm",
  REQUIRES_ACTION: "warn",
  SUCCEEDED: "good",
  PARTIALLY_REFUNDED: "accent",
  REFUNDED: "accent",
  DISPUTED: "warn",
  FAILED: "bad",
  CANCELED: "calm",
};

export function PurchaseTable({ purchases, zone, expected, outdated }: Props) {
  return (
    <Table
      label={t.title}
      columns={columns(zone)}
      rows={purchases}
      rowKey={(purchase) => purchase.id}
      expected={expected}
      outdated={outdated}
      layout="purchases tiered"
    />
  );
}

function columns(zone: string): readonly Column<Purchase>[] {
  return [
    {
      key: "date",
      header: t.columns.date,
      cell: ({ createdAt }) => <Instant value={createdAt} zone={zone} withTime />,
    },
    { key: "kind", header: t.columns.kind, cell: (purchase) => <Kind purchase={purchase} /> },
    {
      key: "charged",
      header: t.columns.charged,
      numeric: true,
      cell: (purchase) => <Charged purchase={purchase} zone={zone} />,
    },
    {
      key: "credit",
      header: t.columns.credit,
      numeric: true,
      cell: (purchase) => <Credit purchase={purchase} />,
    },
    {
      key: "method",
      header: t.columns.method,
      cell: ({ paymentMethod }) =>
        paymentMethod ? <bdi>{unbroken(paymentMethod.displayName)}</bdi> : <None />,
    },
    { key: "status", header: t.columns.status, cell: (purchase) => <Status purchase={purchase} /> },
    {
      key: "receipt",
      header: t.columns.receipt,
      cell: (purchase) => <Receipts purchase={purchase} />,
    },
  ];
}

/** Keeps the last digits of a card or an account on one line with the dots before them. */
function unbroken(method: string): string {
  return method.replace("•••• ", "••••\u00a0");
}

function Kind({ purchase: { kind, description } }: { purchase: Purchase }) {
  return (
    <span className="lines">
      {t.kinds[kind]}
      {description && (
        <bdi className="sub-line clipped" title={description}>
          {description}
        </bdi>
      )}
    </span>
  );
}

function Status({ purchase: { status, failureReason } }: { purchase: Purchase }) {
  return (
    <span className="lines">
      <StatusBadge tone={TONES[status]}>{t.statuses[status]}</StatusBadge>
      {failureReason && <bdi className="sub-line failure">{failureReason}</bdi>}
    </span>
  );
}

/** The documents of a purchase: its receipt, and the credit note and cancellation of each refund. */
function Receipts({ purchase: { receipt, refunds } }: { purchase: Purchase }) {
  if (!receipt) return null;
  return (
    <span className="documents">
      <DocumentButton document={receipt} kind="receipt" />
      {refunds.map(({ id, receipt: note, cancellation }) => (
        <Fragment key={id}>
          {note && <DocumentButton document={note} kind="creditNote" />}
          {cancellation && <DocumentButton document={cancellation} kind="cancellation" />}
        </Fragment>
      ))}
    </span>
  );
}
