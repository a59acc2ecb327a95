import { useCallback, useState } from "react";
import { UsageBreakdownDocument, type UsageBreakdownQuery } from "../../api/generated/graphql";
import { useLiveLoad } from "../../api/use-live-load";
import type { Load } from "../../api/use-load";
import { usage as t } from "../../text/usage";
import { Button } from "../../ui/button";
import { Card } from "../../ui/card";
import { Money } from "../../ui/money";
import { Segments } from "../../ui/segments";
import { EmptyState } from "../../ui/states";
import { type Column, Table } from "../../ui/table";
import { mostDecimals } from "../../util/money";
import { formatCount, formatShare } from "../../util/number";
import { LoadFailed, StaleNotice } from "../shared/load-states";
import { show, useView } from "../shared/navigation";
import { DIMENSIONS, type Dimension } from "../shared/view";
import { isUsage } from "./usage-changes";
import type { UsageWindow } from "./usage-window";

type Usage = NonNullable<UsageBreakdownQuery["account"]>["usage"];
type Row = Usage["breakdown"][number];
type Props = { account: string; window: UsageWindow };

const FEW = 10;
const MANY = 100;

/** The window's spend by one dimension; the rows add up to the total. */
export function Breakdown({ account, window: { from, to, zone } }: Props) {
  const by = useView().by ?? "DEPLOYMENT";
  const [first, setFirst] = useState(FEW);
  const variables = { account, from, to, timeZone: zone, by, first };
  const load = useLiveLoad(UsageBreakdownDocument, variables, { account, affects: isUsage });
  const usage = load.data?.account?.usage;
  const showMore = useCallback(() => setFirst(MANY), []);
  const hasMore = first < MANY && usage?.breakdown.length === first + 1;
  return (
    <Card
      title={t.breakdown}
      note={
        usage && (
          <>
            {t.sumsTo} <Money value={usage.summary.totalSpend} />
          </>
        )
      }
      flush
      busy={load.loading}
      actions={
        <Segments
          label={t.by}
          small
          options={DIMENSIONS.map((id) => ({ id, label: t.dimensions[id] }))}
          selected={by}
          onSelect={(next) => show({ by: next })}
        />
      }
    >
      <div className="breakdown">
        <Content by={by} usage={usage} load={load} />
      </div>
      {hasMore && (
        <div className="table-foot">
          <Button look="bare" small disappears onPress={showMore}>
            {t.more}
          </Button>
        </div>
      )}
    </Card>
  );
}

type ContentProps = {
  by: Dimension;
  usage: Usage | undefined;
  load: Load<UsageBreakdownQuery>;
};

function Content({ by, usage, load: { failure, retry, previous } }: ContentProps) {
  const rows = usage?.breakdown;
  const total = usage?.summary.totalSpend.amount ?? "0";
  if (failure && !rows) return <LoadFailed failure={failure} retry={retry} />;
  if (rows?.length === 0) return <EmptyState title={t.empty} hint={t.emptyHint} />;
  return (
    <>
      {failure && <StaleNotice retry={retry} />}
      <Table
        label={t.breakdown}
        columns={columnsOf(by, rows ?? [], total)}
        rows={rows}
        rowKey={(row) => row.key ?? ` ${row.label}`}
        outdated={previous}
      />
    </>
  );
}

/** Left out where a row is a single deployment. */
const DEPLOYMENTS: Column<Row> = {
  key: "deployments",
  header: t.deployments,
  numeric: true,
  cell: ({ deployments }) => formatCount(deployments),
};

function columnsOf(by: Dimension, rows: readonly Row[], total: string): Column<Row>[] {
  const decimals = mostDecimals(rows.map(({ spend }) => spend));
  return [
    { key: "name", header: t.dimensions[by], cell: (row) => <Name row={row} by={by} /> },
    {
      key: "share",
      header: t.share,
      numeric: true,
      cell: ({ share, spend }) => (share === null ? t.none : formatShare(spend.amount, total)),
    },
    {
      key: "spend",
      header: t.spend,
      numeric: true,
      cell: ({ spend }) => <Money value={spend} decimals={decimals} />,
    },
    ...(by === "DEPLOYMENT" ? [] : [DEPLOYMENTS]),
  ];
}

/** The name of a row. Resources, and rows that are no single value of the dimension, have the page's names. */
function nameOf({ group, key, label }: Row, by: Dimension): string {
  if (group === "NONE") return t.groups.none[by];
  if (group === "OTHER") return t.groups.other;
  const resources: Record<string, string> = t.resourceNames;
  return (by === "RESOURCE" && key && resources[key]) || label;
}

function Name({ row, by }: { row: Row; by: Dimension }) {
  const { group, share } = row;
  return (
    <span className="share-cell">
      <bdi className={group === "VALUE" ? "share-name" : "share-name faint"}>{nameOf(row, by)}</bdi>
      <span className="share-track" aria-hidden="true">
        {/* Where corrections exceed charges, a share is below 0 or above 1. */}
        <span
          className="share-bar"
          style={{ width: `${Math.min(1, Math.max(0, Number(share ?? 0))) * 100}%` }}
        />
      </span>
    </span>
  );
}
