import { DocumentsLinkDocument, type DocumentsLinkQuery } from "../../api/generated/graphql";
import { useDownload } from "../../api/use-download";
import { statements as t } from "../../text/billing";
import { MenuButton } from "../../ui/menu-button";
import { Sentence } from "../../ui/sentence";
import { Notice } from "../../ui/states";
import { useAccount, useZone } from "../account/account-window";
import { useToday } from "../account/use-today";
import { messageOf } from "../shared/failure";

/** Downloads all documents of a year. */
export function YearMenu() {
  const { id: account, firstDay } = useAccount();
  const today = useToday(useZone());
  const { start, pending, failure } = useDownload(DocumentsLinkDocument, linkOf, { account });
  return (
    <>
      <MenuButton
        label={t.year}
        icon="download"
        pending={pending}
        sections={[{ items: yearsOf(firstDay, today).map((id) => ({ id, label: id })) }]}
        onAction={(id) => start({ year: Number(id) })}
      />
      {failure && (
        <Notice tone="bad">
          {t.yearFailed}: <Sentence>{messageOf(failure)}</Sentence>
        </Notice>
      )}
    </>
  );
}

/** The years from one date to another, the latest first. */
function yearsOf(from: string, to: string): string[] {
  const first = Number(from.slice(0, 4));
  const count = Math.max(Number(to.slice(0, 4)) - first, 0) + 1;
  return Array.from({ length: count }, (_, index) => String(first + index)).reverse();
}

function linkOf({ account }: DocumentsLinkQuery): string | null | undefined {
  return account?.documentsUrl;
}
