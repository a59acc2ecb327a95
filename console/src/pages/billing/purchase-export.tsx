import {
  type CreditPurchaseFilter,
  PurchasesExportLinkDocument,
  type PurchasesExportLinkQuery,
} from "../../api/generated/graphql";
import { useLink } from "../../api/use-link";
import { ExportMenu } from "../shared/export-menu";

type Props = { account: string; filter: CreditPurchaseFilter };

/** Downloads everything that the filter shows. */
export function PurchaseExport({ account, filter }: Props) {
  return <ExportMenu link={useLink(PurchasesExportLinkDocument, linkOf, { account, filter })} />;
}

function linkOf({ account }: PurchasesExportLinkQuery): string | undefined {
  return account?.creditPurchases?.exportUrl;
}
