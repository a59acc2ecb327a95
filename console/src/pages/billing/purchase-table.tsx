import type { CreditPurchaseFieldsFragment as Purchase } from "../../api/generated/graphql";
import { Instant } from "../../ui/instant";
import { Money } from "../../ui/money";
import { StatusBadge, type Tone } from "../../ui/status-badge";
import { type Column, Table } from "../../ui/table";
import { isZero } from "../../util/money";
import { text } from "../../util/text";
import { formatDay } from "../../util/time";
import { ReceiptButton } from "./receipt-button";

type Props = {
  purchases: readonly Purchase[] | undefined;
  zone: string;
  expected: number;
  outdated: boolean;
};

const t = text.purchases;

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
      layout="purchases"
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
      key: "amount",
      header: t.columns.amount,
      numeric: true,
      cell: (purchase) => <Sums purchase={purchase} zone={zone} />,
    },
    {
      key: "method",
      header: t.columns.method,
      cell: ({ paymentMethod }) =>
        paymentMethod ? (
          unbroken(paymentMethod.displayName)
        ) : (
          <span className="none">{t.noMethod}</span>
        ),
    },
    { key: "status", header: t.columns.status, cell: (purchase) => <Status purchase={purchase} /> },
    {
      key: "receipt",
      header: t.columns.receipt,
      cell: (purchase) => <Receipts purchase={purchase} />,
    },
  ];
}

/** The last digits of a card or an account stay with the dots in front of them. */
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
      {failureReason && <span className="sub-line failure">{failureReason}</span>}
    </span>
  );
}

/** The amount, and below it whatever came on top or was taken back. */
function Sums({ purchase, zone }: { purchase: Purchase; zone: string }) {
  const { amount, bonus, tax, bonusReversed, refunded, refunds, status } = purchase;
  return (
    <span className="lines">
      <Money value={amount} />
      {!isZero(tax) && (
        <span className="sub-line">
          <Money value={tax} sign="+" /> {t.taxLine}
        </span>
      )}
      {!isZero(bonus) && (
        <span className="sub-line">
          <Money value={bonus} sign="+" /> {t.bonusLine}
        </span>
      )}
      {refunds.map((refund) => (
        <span key={refund.id} className="sub-line" title={refund.reason ?? undefined}>
          <Money value={refund.amount} sign="−" />{" "}
          {refund.status === "SUCCEEDED"
            ? t.refundLine(formatDay(refund.createdAt, zone))
            : t.refundStates[refund.status]}
        </span>
      ))}
      {refunds.length === 0 && !isZero(refunded) && (
        <span className="sub-line">
          <Money value={refunded} sign="−" />{" "}
          {status === "DISPUTED" ? t.disputedLine : t.refundStates.SUCCEEDED}
        </span>
      )}
      {!isZero(bonusReversed) && (
        <span className="sub-line">
          <Money value={bonusReversed} sign="−" /> {t.bonusBackLine}
        </span>
      )}
    </span>
  );
}

function Receipts({ purchase: { receipt, refunds } }: { purchase: Purchase }) {
  if (!receipt) return null;
  return (
    <span className="lines">
      <ReceiptButton id={receipt.id} number={receipt.number} label={t.receipt(receipt.number)} />
      {refunds.map(
        ({ receipt: note }) =>
          note && (
            <ReceiptButton
              key={note.id}
              id={note.id}
              number={note.number}
              label={t.creditNote(note.number)}
            />
          ),
      )}
    </span>
  );
}
