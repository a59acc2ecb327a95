import type { UsageSummaryFieldsFragment } from "../../api/generated/graphql";
import { type Figure, Figures } from "../../ui/figures";
import { Icon } from "../../ui/icon";
import { Money } from "../../ui/money";
import { Skeleton } from "../../ui/skeleton";
import { type Amount, formatExactMoney, formatMoney } from "../../util/money";
import { changeOf, formatDecimal } from "../../util/number";
import { text } from "../../util/text";
import { formatDate, formatDateRange } from "../../util/time";
import { daysBefore, lengthOf, type UsageWindow } from "./usage-window";

type Summary = UsageSummaryFieldsFragment;

type Props = {
  window: UsageWindow;
  currency: string;
  /** Undefined while they are on their way, null if they could not be loaded. */
  summary: Summary | null | undefined;
  previous: Summary | null | undefined;
  isOutdated: boolean;
};

const t = text.usage;

/** What the window adds up to, each against the days before it. */
export function UsageFigures({ window, currency, summary, previous, isOutdated }: Props) {
  const waiting = summary === undefined ? <Skeleton /> : t.none;
  const amount = (label: string, read: (of: Summary) => Amount | null | undefined): Figure => {
    const value = summary && read(summary);
    return {
      label,
      value: value ? <Money value={value} /> : waiting,
      note: (
        <ChangeNote
          now={value?.amount}
          before={previous && read(previous)?.amount}
          show={(decimal) => formatMoney({ amount: decimal, currency })}
        />
      ),
      ...(value && { title: formatExactMoney(value) }),
    };
  };
  const count = (label: string, read: (of: Summary) => string | null | undefined): Figure => {
    const value = summary && read(summary);
    return {
      label,
      value: value ? formatDecimal(value) : waiting,
      note: <ChangeNote now={value} before={previous && read(previous)} show={formatDecimal} />,
    };
  };
  return (
    <section className={`card usage-figures${isOutdated ? " outdated" : ""}`}>
      <Figures
        label={t.figures}
        figures={[
          amount(t.total, (of) => of.totalSpend),
          amount(t.average, (of) => of.averageDailySpend),
          count(t.deployments, (of) => String(of.totalDeployments)),
          count(t.deploymentsADay, (of) => of.averageDailyDeployments),
        ]}
      />
      <Against window={window} />
    </section>
  );
}

type ChangeProps = {
  now: string | null | undefined;
  before: string | null | undefined;
  show: (decimal: string) => string;
};

const ARROWS = { up: "rise", down: "fall", same: "level" } as const;

/** More is neither good nor bad here, so it has no colour. */
function ChangeNote({ now, before, show }: ChangeProps) {
  if (!now || !before) return null;
  const change = changeOf(now, before);
  if (!change) return t.before(show(before));
  return (
    <span className={`change ${change.direction}`} title={t.before(show(before))}>
      <Icon name={ARROWS[change.direction]} size={12} />
      {change.percentage} <span className="hidden">{t.change[change.direction]}</span>
    </span>
  );
}

/** What the changes are against. */
function Against({ window }: { window: UsageWindow }) {
  const days = daysBefore(window);
  if (!days) return null;
  const { from, to } = days;
  const dates = from === to ? formatDate(from) : formatDateRange(from, to);
  return <p className="faint usage-against">{t.against(lengthOf(days), dates)}</p>;
}
