import {
  ActivityExportLinkDocument,
  type ActivityExportLinkQuery,
  type LedgerFilter,
} from "../../api/generated/graphql";
import { useLink } from "../../api/use-link";
import { ExportMenu } from "../shared/export-menu";

type Props = { account: string; filter: LedgerFilter };

/** Downloads every row that the filter shows. */
export function ActivityExport({ account, filter }: Props) {
  const link = useLink(ActivityExportLinkDocument, linkOf, { account, filter });
  return <ExportMenu link={link} formats={["CSV", "JSONL"]} />;
}

function linkOf({ account }: ActivityExportLinkQuery): string | undefined {
  return account?.ledger?.exportUrl;
}
