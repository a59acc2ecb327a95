import type { CreditPurchasesQuery } from "../../api/generated/graphql";
import { purchases as t } from "../../text/billing";
import { type Figure, Figures } from "../../ui/figures";
import { Money } from "../../ui/money";
import { Skeleton } from "../../ui/skeleton";
import { type Amount, isZero, subtract } from "../../util/money";

type Connection = NonNullable<NonNullable<CreditPurchasesQuery["account"]>["creditPurchases"]>;
type Totals = Connection["totals"];

/** The totals of all purchases that match the filter, not only of this page. */
export function PurchaseTotals({ totals }: { totals: Totals | undefined }) {
  return (
    <div className="inset">
      <Figures label={t.totals} figures={figures(totals)} />
    </div>
  );
}

function figures(totals: Totals | undefined): Figure[] {
  if (!totals) {
    return [t.charged, t.refunded, t.bonus, t.credited].map((label) => ({
      label,
      value: <Skeleton />,
      note: "",
    }));
  }
  const { charged, tax, refunded, refundedTax, refundedTotal, bonus, credited } = totals;
  // A dispute reverses credit but is no refund: it has no tax and no total.
  const disputed = subtract(refunded, [subtract(refundedTotal, [refundedTax])]);
  return [
    { label: t.charged, value: <Money value={charged} />, note: <Tax value={tax} /> },
    {
      label: t.refunded,
      value: <Money value={refundedTotal} sign="minus" />,
      note: <Tax value={refundedTax} />,
    },
    { label: t.bonus, value: <Money value={bonus} /> },
    {
      label: t.credited,
      value: <Money value={credited} />,
      note: isZero(disputed) ? (
        t.creditedNote
      ) : (
        <>
          <Money value={disputed} sign="minus" /> {t.disputedNote}
        </>
      ),
    },
  ];
}

function Tax({ value }: { value: Amount }) {
  if (isZero(value)) return null;
  return (
    <>
      {t.inclTax.before} <Money value={value} /> {t.inclTax.after}
    </>
  );
}
