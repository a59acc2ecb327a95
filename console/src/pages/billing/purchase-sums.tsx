// The amounts of a purchase: charged to the card, and credited to the balance.

import type { ReactNode } from "react";
import type { CreditPurchaseFieldsFragment as Purchase } from "../../api/generated/graphql";
import { purchases as t } from "../../text/billing";
import { Money } from "../../ui/money";
import { Sentence } from "../../ui/sentence";
import { type Amount, isNegative, isZero, subtract } from "../../util/money";
import { formatDay } from "../../util/time";
import { readReason } from "./reason";

/** In place of an amount that a purchase does not have. */
export function None() {
  return <span className="none">{t.none}</span>;
}

/** The amount charged to the card, tax included, and its refunds. */
export function Charged({ purchase, zone }: { purchase: Purchase; zone: string }) {
  const { charged, tax, refunds, settledAt, status } = purchase;
  if (isZero(charged)) return <None />;
  const hasFailed = status === "FAILED" || status === "CANCELED";
  return (
    <span className={settledAt ? "lines" : "lines faint"}>
      <Money value={charged} />
      {!isZero(tax) && (
        <span className="sub-line">
          {t.inclTax.before} <Money value={tax} /> {t.inclTax.after}
        </span>
      )}
      {!settledAt && <span className="sub-line">{hasFailed ? t.notCharged : t.notYetCharged}</span>}
      {refunds.map((refund) => (
        <RefundLine key={refund.id} refund={refund} zone={zone} />
      ))}
    </span>
  );
}

function RefundLine({ refund, zone }: { refund: Purchase["refunds"][number]; zone: string }) {
  const { total, status, createdAt, reason, failureReason } = refund;
  const cause = failureReason ?? reason;
  return (
    <span className="sub-line long" title={cause ? readReason(cause) : undefined}>
      <Money value={total} {...(status === "SUCCEEDED" && { sign: "minus" })} />{" "}
      {status === "SUCCEEDED" ? (
        <Sentence>{t.refundLine(formatDay(createdAt, zone))}</Sentence>
      ) : (
        t.refundStates[status]
      )}
    </span>
  );
}

/** The credit of the purchase, and below it bonus, refunds and disputes. */
export function Credit({ purchase }: { purchase: Purchase }) {
  const { amount, bonus, bonusReversed, refunded, refunds, settledAt } = purchase;
  if (!settledAt) return <None />;
  const succeeded = refunds.filter(({ status }) => status === "SUCCEEDED");
  const disputed = subtract(
    refunded,
    succeeded.map((refund) => refund.amount),
  );
  const byDispute = isNegative(disputed) ? { ...disputed, amount: "0" } : disputed;
  return (
    <span className="lines">
      <Money value={amount} />
      <Line value={bonus} sign="plus">
        {t.bonusLine}
      </Line>
      <Line value={subtract(refunded, [byDispute])} sign="minus">
        {t.refundedLine}
      </Line>
      <Line value={byDispute} sign="minus" isLong>
        {t.disputedLine}
      </Line>
      <Line value={bonusReversed} sign="minus" isLong>
        {t.bonusBackLine}
      </Line>
    </span>
  );
}

type LineProps = { value: Amount; sign: "plus" | "minus"; isLong?: boolean; children: ReactNode };

function Line({ value, sign, isLong = false, children }: LineProps) {
  if (isZero(value)) return null;
  return (
    <span className={isLong ? "sub-line long" : "sub-line"}>
      <Money value={value} sign={sign} /> {children}
    </span>
  );
}
