import type { UsageQuery } from "../../api/generated/graphql";
import { usage as t } from "../../text/usage";
import { type Figure, Figures } from "../../ui/figures";
import { Icon } from "../../ui/icon";
import { Money } from "../../ui/money";
import { Sentence } from "../../ui/sentence";
import { Skeleton } from "../../ui/skeleton";
import { type Amount, formatExactMoney } from "../../util/money";
import { changeOf, formatDecimal } from "../../util/number";
import { formatDate, formatDateRange } from "../../util/time";
import { lengthOf } from "./usage-window";

type Usage = NonNullable<UsageQuery["account"]>["usage"];
type Comparison = NonNullable<Usage["comparison"]>;

type Props = {
  /** Undefined while it is on its way, null if it could not be loaded. */
  usage: Usage | null | undefined;
  isOutdated: boolean;
};

/** What the window adds up to, and how its complete days compare with those before. */
export function UsageFigures({ usage, isOutdated }: Props) {
  const waiting = usage === undefined ? <Skeleton /> : t.none;
  const amount = (label: string, value: Amount | null | undefined, rest: Partial<Figure>) => ({
    label,
    value: value ? <Money value={value} /> : waiting,
    ...rest,
  });
  const count = (label: string, value: string | null | undefined, rest: Partial<Figure>) => ({
    label,
    value: value ? formatDecimal(value) : waiting,
    ...rest,
  });
  const { summary, comparison } = usage ?? {};
  const days = { note: t.completeDays };
  return (
    <section className={`card usage-figures${isOutdated ? " outdated" : ""}`}>
      <Figures
        label={t.figures}
        figures={[
          amount(t.total, summary?.totalSpend, {
            note: comparison && <Change comparison={comparison} />,
          }),
          amount(t.average, summary?.averageDailySpend, days),
          count(t.deployments, summary && String(summary.totalDeployments), {}),
          count(t.deploymentsPerDay, summary?.averageDailyDeployments, days),
        ]}
      />
      <p className="faint usage-against">
        {comparison ? <Compared comparison={comparison} /> : usage ? t.notCompared : waiting}
      </p>
    </section>
  );
}

const ARROWS = { up: "rise", down: "fall", same: "level" } as const;

/** More is neither good nor bad here, so it has no colour. */
function Change({ comparison: { current, previous } }: { comparison: Comparison }) {
  const change = changeOf(current.amount, previous.amount);
  const before = t.before(formatExactMoney(previous));
  if (!change) return before;
  return (
    <span className={`change ${change.direction}`} title={before}>
      <Icon name={ARROWS[change.direction]} size={12} />
      {change.percentage} <span className="hidden">{t.change[change.direction]}</span>
    </span>
  );
}

/** Which days are compared, and their spend. */
function Compared({ comparison }: { comparison: Comparison }) {
  const { from, to, current, previousFrom, previousTo, previous } = comparison;
  const dates = datesOf(previousFrom, previousTo);
  return (
    <>
      <bdi>{datesOf(from, to)}</bdi> (<Money value={current} />){" "}
      <Sentence>{t.comparedWith(lengthOf({ from: previousFrom, to: previousTo }), dates)}</Sentence>{" "}
      (
      <Money value={previous} />)
    </>
  );
}

function datesOf(from: string, to: string): string {
  return from === to ? formatDate(from) : formatDateRange(from, to);
}
