import { parseDate } from "@internationalized/date";
import { useMemo } from "react";
import { DailyUsageDocument, type DailyUsageQuery } from "../../api/generated/graphql";
import { useLiveLoad } from "../../api/use-live-load";
import { shared } from "../../text/shared";
import { usage as t } from "../../text/usage";
import { Card } from "../../ui/card";
import { Money } from "../../ui/money";
import { Pagination } from "../../ui/pagination";
import { type Column, Table } from "../../ui/table";
import { mostDecimals } from "../../util/money";
import { formatCount, formatExactQuantity, formatQuantity } from "../../util/number";
import { dateIn, daysBetween, formatWeekdayDate } from "../../util/time";
import { LoadFailed, StaleNotice } from "../shared/load-states";
import { show, useView } from "../shared/navigation";
import { PAGE_SIZES } from "../shared/view";
import { resourceName } from "./group-names";
import { NoUsage } from "./no-usage";
import { isUsage, withDailyChanges } from "./usage-changes";
import { type UsageScope, variablesOf } from "./usage-scope";
import { elapsedDays, lengthOf } from "./usage-window";

type Day = NonNullable<DailyUsageQuery["account"]>["usage"]["buckets"][number];
/** Each day of the window up to today, the latest first: the resources in use and their cost. */
export function Daily({ scope }: { scope: UsageScope }) {
  const days = elapsedDays(scope.window);
  if (!days) {
    return (
      <Card title={t.daily}>
        <NoUsage scope={scope} />
      </Card>
    );
  }
  return <Days scope={scope} days={days} />;
}

type DaysProps = { scope: UsageScope; days: { from: string; to: string } };

function Days({ scope, days }: DaysProps) {
  const { account } = scope;
  const { size, dailyUntil: until } = useView();
  const skipped = until && until >= days.from ? Math.max(0, daysBetween(until, days.to)) : 0;
  const turn = (next: number) => show({ dailyUntil: next > 0 ? dayBefore(days.to, next) : null });
  const total = lengthOf(days);
  const variables = { ...variablesOf(scope), ...page(days, skipped, size) };
  const load = useLiveLoad(DailyUsageDocument, variables, {
    account,
    affects: isUsage,
    patch: (send, data) => withDailyChanges(send, data, variables),
  });
  const { data, failure, retry } = load;
  const rows = useMemo(() => data?.account?.usage.buckets.toReversed(), [data]);
  const left = total - skipped;
  return (
    <Card title={t.daily} flush busy={load.loading}>
      {failure && !rows ? (
        <LoadFailed failure={failure} retry={retry} />
      ) : (
        <>
          {failure && <StaleNotice retry={retry} />}
          <div className="daily">
            <Table
              label={t.daily}
              columns={columnsOf(data?.account?.usage.timeZone ?? variables.timeZone, rows ?? [])}
              rows={rows}
              rowKey={(day) => day.start}
              expected={Math.min(size, left)}
              outdated={load.previous}
            />
          </div>
        </>
      )}
      <Pagination
        texts={{ ...shared.pages, label: shared.pages.label(t.daily) }}
        summary={shared.pages.summary(skipped, Math.min(size, left), total)}
        hasPrevious={skipped > 0}
        hasNext={left > size}
        onPrevious={() => turn(skipped - size)}
        onNext={() => turn(skipped + size)}
        size={size}
        sizes={PAGE_SIZES}
        onSize={(next) => show({ size: next })}
      />
    </Card>
  );
}

/** The days of a page; the list is in descending order. */
function page({ from, to }: DaysProps["days"], skipped: number, size: number) {
  const last = dayBefore(to, skipped);
  const first = dayBefore(last, size - 1);
  return { from: first > from ? first : from, to: last };
}

function dayBefore(day: string, days: number): string {
  return parseDate(day).subtract({ days }).toString();
}

function columnsOf(zone: string, days: readonly Day[]): Column<Day>[] {
  const decimals = mostDecimals(days.map(({ spend }) => spend));
  return [
    {
      key: "date",
      header: t.date,
      cell: ({ start, partial }) => {
        const date = dateIn(zone, new Date(start));
        return (
          <time dateTime={date}>
            {formatWeekdayDate(date)}
            {partial && <span className="sub-line">{t.today}</span>}
          </time>
        );
      },
    },
    {
      key: "deployments",
      header: t.deployments,
      numeric: true,
      cell: ({ deployments }) => formatCount(deployments),
    },
    { key: "resources", header: t.resources, cell: (day) => <Resources day={day} /> },
    {
      key: "amount",
      header: t.amount,
      numeric: true,
      cell: ({ spend }) => <Money value={spend} decimals={decimals} />,
    },
  ];
}

function Resources({ day: { resources } }: { day: Day }) {
  if (resources.length === 0) return <span className="faint">{t.none}</span>;
  return (
    <ul className="resource-list">
      {resources.map(({ resource, quantity, unit }) => (
        <li key={`${resource} ${unit}`} title={`${formatExactQuantity(quantity)} ${t.unit(unit)}`}>
          <span className="faint">{resourceName(resource)}</span> {formatQuantity(quantity)}{" "}
          <bdi>{t.unit(unit)}</bdi>
        </li>
      ))}
    </ul>
  );
}
