// How fast the credit is used, and when it runs out.

import { balance as t } from "../../text/account";
import type { Figure } from "../../ui/figures";
import { Money } from "../../ui/money";
import { Sentence } from "../../ui/sentence";
import { Skeleton } from "../../ui/skeleton";
import { isolated } from "../../util/locale";
import { dateIn, daysBetween, formatDate, formatDateRange, formatDaysAhead } from "../../util/time";
import type { Balance } from "./overview";

/** Burn rate and run-out. `zone` is the account's own; null while it loads. */
export function runwayFigures(balance: Balance | undefined, zone: string | null): Figure[] {
  return [
    {
      label: t.burn,
      value: balance ? <BurnRate balance={balance} /> : <Skeleton />,
      note: balance ? burnHint(balance) : <Skeleton />,
    },
    {
      label: t.runsOut,
      value: balance ? <Sentence>{runsOut(balance)}</Sentence> : <Skeleton />,
      note: balance && zone ? runsOutHint(balance, zone) : <Skeleton />,
    },
  ];
}

function BurnRate({ balance: { burnRate } }: { balance: Balance }) {
  if (!burnRate) return t.burnNone;
  return (
    <>
      <Money value={burnRate} /> <span className="unit">{t.perDay}</span>
    </>
  );
}

function burnHint({ burnRate }: Balance): string {
  return burnRate ? t.burnHint : t.runwayHint.INSUFFICIENT_HISTORY;
}

function runsOut({ runway: { status, earliest, latest }, version }: Balance): string {
  if (version === 0) return t.isNew;
  if (status !== "ESTIMATED" || !earliest) return t.runway[status];
  if (!latest) return t.beyond(formatDate(earliest));
  return isolated(earliest === latest ? formatDate(earliest) : formatDateRange(earliest, latest));
}

function runsOutHint({ runway: { status, earliest }, version }: Balance, zone: string): string {
  if (version === 0) return t.newHint;
  if (status !== "ESTIMATED" || !earliest) return t.runwayHint[status];
  return formatDaysAhead(daysBetween(dateIn(zone), earliest));
}
