import {
  ActivityExportLinkDocument,
  type ActivityExportLinkQuery,
  type LedgerFilter,
} from "../../api/generated/graphql";
import { useDownload } from "../../api/use-download";
import { ExportMenu } from "../shared/export-menu";
import { WITHOUT_FOCUS } from "../shared/features";

type Props = { account: string; filter: LedgerFilter };

/** Downloads every row that matches the filter. */
export function ActivityExport({ account, filter }: Props) {
  const download = useDownload(ActivityExportLinkDocument, linkOf, { account, filter });
  return <ExportMenu download={download} sections={[{ rows: "ALL", formats: WITHOUT_FOCUS }]} />;
}

function linkOf({ account }: ActivityExportLinkQuery): string | undefined {
  return account?.ledger?.exportUrl;
}
