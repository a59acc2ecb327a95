import { useContext } from "react";
import {
  type StatementFieldsFragment as Row,
  StatementsDocument,
} from "../../api/generated/graphql";
import { useLoad } from "../../api/use-load";
import { statements as t } from "../../text/billing";
import { Money } from "../../ui/money";
import type { Column } from "../../ui/table";
import { mostDecimals } from "../../util/money";
import { formatMonth } from "../../util/time";
import { useAccount } from "../account/account-window";
import { FeaturesContext } from "../shared/features";
import { show, useView } from "../shared/navigation";
import { DocumentButton } from "./document-button";
import { DocumentList } from "./document-list";
import { pageOf } from "./list-pages";
import { YearMenu } from "./year-menu";

/** The monthly statements, and a file of all documents of a year. */
export function Statements() {
  const { id: account } = useAccount();
  const { statementsCursor, size } = useView();
  const { issuesStatements } = useContext(FeaturesContext);
  const load = useLoad(StatementsDocument, { account, ...pageOf(statementsCursor, size) });
  const connection = load.data?.account?.statements ?? undefined;
  return (
    <DocumentList
      title={t.title}
      empty={{ title: t.empty, hint: t.emptyHint }}
      load={load}
      connection={connection}
      columns={columns(connection?.nodes ?? [])}
      cursor={statementsCursor}
      onTurn={(next, options) => show({ statementsCursor: next }, options)}
      actions={issuesStatements && <YearMenu years={load.data?.account?.documentYears} />}
      issued={issuesStatements}
    />
  );
}

function columns(rows: readonly Row[]): readonly Column<Row>[] {
  const decimals = mostDecimals(rows.map(({ closingBalance }) => closingBalance));
  const opening = mostDecimals(rows.map(({ openingBalance }) => openingBalance));
  return [
    { key: "date", header: t.columns.month, cell: ({ month }) => formatMonth(`${month}-01`) },
    {
      key: "opening",
      header: t.columns.opening,
      numeric: true,
      cell: ({ openingBalance }) => <Money value={openingBalance} decimals={opening} />,
    },
    {
      key: "closing",
      header: t.columns.closing,
      numeric: true,
      cell: ({ closingBalance }) => <Money value={closingBalance} decimals={decimals} />,
    },
    {
      key: "document",
      header: t.columns.document,
      cell: (row) => <DocumentButton document={row} kind="statement" />,
    },
  ];
}
