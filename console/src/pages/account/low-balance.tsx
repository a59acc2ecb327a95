import { low as t } from "../../text/account";
import { Sentence } from "../../ui/sentence";
import { Notice } from "../../ui/states";
import { formatMoney } from "../../util/money";
import type { Balance, Facts } from "./overview";

type Props = { balance: Balance; thresholds: Facts["lowBalance"] | null };

/** A notice while the balance is low or used up. */
export function LowBalanceNotice({ balance: { low, runway, version }, thresholds }: Props) {
  // An account that never had credit is not depleted.
  const isDepleted = runway.status === "DEPLETED" && version > 0;
  if (!low && !isDepleted) return null;
  return (
    <div className="balance-notice">
      <Notice tone={isDepleted ? "bad" : "warn"}>
        <Sentence>{isDepleted ? t.DEPLETED : reasonOf(low, thresholds)}</Sentence>
      </Notice>
    </div>
  );
}

/** Why the balance is low, with the threshold that it has reached. */
function reasonOf(low: Balance["low"], thresholds: Facts["lowBalance"] | null): string {
  if (low === "MONEY" && thresholds?.amount) return t.MONEY(formatMoney(thresholds.amount));
  if (low === "DAYS" && thresholds?.days) return t.DAYS(thresholds.days);
  return t.other;
}
