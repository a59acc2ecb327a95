import {
  type CreditPurchaseFilter,
  PurchasesExportLinkDocument,
  type PurchasesExportLinkQuery,
} from "../../api/generated/graphql";
import { useDownload } from "../../api/use-download";
import { ExportMenu } from "../shared/export-menu";
import { EXPORT_FORMATS } from "../shared/features";

type Props = { account: string; filter: CreditPurchaseFilter };

/** Downloads every purchase that matches the filter. */
export function PurchaseExport({ account, filter }: Props) {
  const download = useDownload(PurchasesExportLinkDocument, linkOf, { account, filter });
  return <ExportMenu download={download} sections={[{ rows: "ALL", formats: EXPORT_FORMATS }]} />;
}

function linkOf({ account }: PurchasesExportLinkQuery): string | undefined {
  return account?.creditPurchases?.exportUrl;
}
