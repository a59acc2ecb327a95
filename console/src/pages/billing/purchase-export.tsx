import {
  type CreditPurchaseFilter,
  type ExportFormat,
  PurchasesExportLinkDocument,
  type PurchasesExportLinkQuery,
} from "../../api/generated/graphql";
import { useLink } from "../../api/use-link";
import { MenuButton } from "../../ui/menu-button";
import { Notice } from "../../ui/states";
import { text } from "../../util/text";
import { messageOf } from "../failure";

const FORMATS = ["CSV", "JSONL", "FOCUS"] as const satisfies readonly ExportFormat[];

type Props = { account: string; filter: CreditPurchaseFilter };

/** Downloads everything that the filter shows, on all pages. */
export function PurchaseExport({ account, filter }: Props) {
  const { follow, pending, failure } = useLink(PurchasesExportLinkDocument, linkOf);
  return (
    <>
      <MenuButton
        label={text.export.label}
        icon="download"
        pending={pending}
        items={FORMATS.map((id) => ({ id, label: text.export.formats[id] }))}
        onAction={(id) => follow({ account, filter, format: id as ExportFormat })}
      />
      {failure && (
        <Notice tone="bad">
          {text.export.failed}: {messageOf(failure)}
        </Notice>
      )}
    </>
  );
}

function linkOf({ account }: PurchasesExportLinkQuery): string | undefined {
  return account?.creditPurchases?.exportUrl;
}
