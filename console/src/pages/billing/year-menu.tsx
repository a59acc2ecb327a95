import { DocumentsLinkDocument, type DocumentsLinkQuery } from "../../api/generated/graphql";
import { useDownload } from "../../api/use-download";
import { statements as t } from "../../text/billing";
import { MenuButton } from "../../ui/menu-button";
import { Sentence } from "../../ui/sentence";
import { Notice } from "../../ui/states";
import { useAccount } from "../account/account-window";
import { messageOf } from "../shared/failure";

/** Downloads all documents of a year; `years` are those with any. */
export function YearMenu({ years }: { years: readonly number[] | null | undefined }) {
  const { id: account } = useAccount();
  const { start, pending, failure } = useDownload(DocumentsLinkDocument, linkOf, { account });
  if (!years?.length) return null;
  return (
    <>
      <MenuButton
        label={t.year}
        icon="download"
        pending={pending}
        sections={[{ items: years.map(String).map((id) => ({ id, label: id })) }]}
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

function linkOf({ account }: DocumentsLinkQuery): string | null | undefined {
  return account?.documentsUrl;
}
