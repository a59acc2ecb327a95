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
  /** Undefined while it loads, null if it could not be loaded. */
  usage: Usage | null | undefined;
  isOutdated: boolean;
};

/** The totals of the window, and its complete days compared with the previous ones. */
export function UsageFigures({ usage, isOutdated }: Props) {
  const missing = usage === undefined ? <Skeleton /> : t.none;
  const amount = (label: string, value: Amount | null | undefined, rest: Partial<Figure>) => ({
    label,
    value: value ? <Money value={value} /> : missing,
    ...rest,
  });
  const count = (label: string, value: string | null | undefined, rest: Partial<Figure>) => ({
    label,
    value: value ? formatDecimal(value) : missing,
    ...rest,
  });
  const { summary, comparison, forecast } = usage ?? {};
  const days = { note: t.completeDays };
  return (
    <section className={`card usage-figures${isOutdated ? " outdated" : ""}`}>
      <Figures
        label={t.figures}
        figures={[
          amount(t.total, summary?.totalSpend, {
            note: comparison && <Change comparison={comparison} />,
          }),
          ...(forecast?.expected ? [forecastFigure(forecast)] : []),
          amount(t.average, summary?.averageDailySpend, days),
          count(t.deployments, summary && String(summary.totalDeployments), {}),
          count(t.deploymentsPerDay, summary?.averageDailyDeployments, days),
        ]}
      />
      <p className="faint usage-comparison">
        {comparison ? <Compared comparison={comparison} /> : usage ? t.notCompared : missing}
      </p>
    </section>
  );
}

/** What the window will have cost at its end. */
function forecastFigure({ expected, low, high, through }: Usage["forecast"]): Figure {
  return {
    label: t.forecast,
    value: expected && <Money value={expected} />,
    note: low && high && through && (
      <>
        {/* Both ends are on one line where there is room. */}
        <Money value={low} /> – <Money value={high} />{" "}
        <Sentence>{t.through(formatDate(through))}</Sentence>
      </>
    ),
    title: t.forecastHelp,
  };
}

const ARROWS = { up: "rise", down: "fall", same: "level" } as const;

/** Without a colour: more spend is neither good nor bad. */
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

/** The compared days, and their spend. */
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
