import type { CreditPurchasesQuery } from "../../api/generated/graphql";
import { purchases as t } from "../../text/billing";
import { type Figure, Figures } from "../../ui/figures";
import { Money } from "../../ui/money";
import { Skeleton } from "../../ui/skeleton";
import { type Amount, isZero, less } from "../../util/money";

type Connection = NonNullable<NonNullable<CreditPurchasesQuery["account"]>["creditPurchases"]>;
type Totals = Connection["totals"];

/** What all the purchases of the filter add up to, not those of a page alone. */
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
  // A dispute takes credit back and is no refund: it has neither a tax nor a total.
  const disputed = less(refunded, [less(refundedTotal, [refundedTax])]);
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
