import { useState } from "react";
import { UsageBreakdownDocument, type UsageBreakdownQuery } from "../../api/generated/graphql";
import { useLiveLoad } from "../../api/use-live-load";
import type { Load } from "../../api/use-load";
import { usage as t } from "../../text/usage";
import { Button } from "../../ui/button";
import { Card } from "../../ui/card";
import { Money } from "../../ui/money";
import { ranked } from "../../ui/ranking";
import { SearchBox } from "../../ui/search-box";
import { Select } from "../../ui/select";
import { Table } from "../../ui/table";
import { LoadFailed, StaleNotice } from "../shared/load-states";
import { show, useView } from "../shared/navigation";
import { DIMENSIONS, type Dimension } from "../shared/view";
import { columnsOf } from "./breakdown-columns";
import { type Line, linesOf, type Rows } from "./breakdown-lines";
import { nameOf } from "./group-names";
import { NoUsage } from "./no-usage";
import { isUsage } from "./usage-changes";
import { type UsageScope, variablesOf } from "./usage-scope";
import "./breakdown.css";

const FEW = 10;
const MANY = 100;
const MAX_SEARCH = 100;

/** The scope's spend by one dimension, each row opens to a second one; the rows add up to the total. */
export function Breakdown({ scope }: { scope: UsageScope }) {
  const { account, by } = scope;
  const [first, setFirst] = useState(FEW);
  const [query, setQuery] = useState("");
  const { second: wanted } = useView();
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const isFixed = scope.toggle === null;
  const others = DIMENSIONS.filter(
    (each) => each !== by && !(isFixed && scope.filters[each]?.length === 1),
  );
  const [fallback = "RESOURCE"] = by === "DEPLOYMENT" ? ["RESOURCE" as const] : others;
  const second = wanted !== null && others.includes(wanted) ? wanted : fallback;
  const variables = { ...variablesOf(scope), by, second, first, opened: opened.size > 0 };
  const load = useLiveLoad(UsageBreakdownDocument, variables, { account, affects: isUsage });
  const usage = load.data?.account?.usage;
  const rows: Rows | undefined = usage?.opened ?? usage?.breakdown;
  const hasMore = first < MANY && rows?.length === first + 1;
  const isLong = hasMore || first > FEW;
  const open = (id: string) =>
    setOpened(opened.has(id) ? without(opened, id) : including(opened, id));
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
        <>
          {isLong && (
            <SearchBox
              label={t.searchRows}
              clear={t.clearSearch}
              value={query}
              maxLength={MAX_SEARCH}
              onSearch={(text) => {
                setQuery(text);
                setFirst(MANY);
              }}
            />
          )}
          <Select
            label={t.openBy}
            labelled
            value={second}
            options={others.map((id) => ({ id, label: t.dimensions[id] }))}
            onChange={(id) => show({ second: id as Dimension })}
          />
        </>
      }
    >
      <div className="breakdown">
        <Content
          scope={scope}
          lines={
            rows &&
            linesOf(
              query
                ? ranked(
                    rows.map((row) => ({ ...row, label: nameOf(row, by) })),
                    query,
                  )
                : rows,
              { by, second, opened },
            )
          }
          total={usage?.summary.totalSpend.amount ?? "0"}
          load={load}
          isSearched={query !== ""}
          open={open}
        />
      </div>
      {query && !load.previous && rows?.some(({ group }) => group === "OTHER") && (
        <p className="table-foot faint">{t.largestOnly(MANY)}</p>
      )}
      {hasMore && !query && (
        <div className="table-foot">
          <Button look="bare" small disappears onPress={() => setFirst(MANY)}>
            {t.more}
          </Button>
        </div>
      )}
    </Card>
  );
}

type ContentProps = {
  scope: UsageScope;
  lines: Line[] | undefined;
  total: string;
  load: Load<UsageBreakdownQuery>;
  isSearched: boolean;
  open: (id: string) => void;
};

function Content(props: ContentProps) {
  const { scope, lines, total, isSearched, open } = props;
  const { failure, retry, previous } = props.load;
  if (failure && !lines) return <LoadFailed failure={failure} retry={retry} />;
  if (lines?.length === 0 && isSearched) return <p className="table-foot faint">{t.noValues}</p>;
  if (lines?.length === 0) return <NoUsage scope={scope} />;
  return (
    <>
      {failure && <StaleNotice retry={retry} />}
      <Table
        label={t.breakdown}
        columns={columnsOf(scope, lines ?? [], total, open)}
        rows={lines}
        rowKey={({ id }) => id}
        outdated={previous}
      />
    </>
  );
}

function including(ids: ReadonlySet<string>, id: string): ReadonlySet<string> {
  return new Set([...ids, id]);
}

function without(ids: ReadonlySet<string>, id: string): ReadonlySet<string> {
  return new Set([...ids].filter((each) => each !== id));
}
