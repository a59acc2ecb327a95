import { ReceiptLinkDocument, type ReceiptLinkQuery } from "../../api/generated/graphql";
import { useDownload } from "../../api/use-download";
import { purchases as t } from "../../text/billing";
import { Button } from "../../ui/button";
import "./document-button.css";

export type DocumentKind = keyof typeof t.documents;

type Props = {
  document: { id: string; number: string };
  kind: DocumentKind;
};

/** Downloads a document. */
export function DocumentButton({ document: { id, number }, kind }: Props) {
  const { name, download } = t.documents[kind];
  const { start, pending, failure } = useDownload(ReceiptLinkDocument, linkOf, { id });
  return (
    <span className="document">
      <Button
        look="bare"
        small
        icon="download"
        isPending={pending}
        aria-label={download(number)}
        onPress={() => start({})}
      >
        {name} <bdi className="sub-line">{number}</bdi>
      </Button>
      {failure && (
        <span className="sub-line bad-text" role="alert">
          {t.documentFailed}
        </span>
      )}
    </span>
  );
}

function linkOf({ node }: ReceiptLinkQuery): string | null {
  return node && "downloadUrl" in node ? node.downloadUrl : null;
}
