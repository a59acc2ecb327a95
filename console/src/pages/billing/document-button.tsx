import { ReceiptLinkDocument, type ReceiptLinkQuery } from "../../api/generated/graphql";
import { useLink } from "../../api/use-link";
import { purchases as t } from "../../text/billing";
import { Button } from "../../ui/button";

export type DocumentKind = keyof typeof t.documents;

type Props = {
  document: { id: string; number: string };
  kind: DocumentKind;
  /** Whether it is said what it is, and not only to who does not see. */
  isNamed?: boolean;
};

/** Downloads a receipt, a credit note or the cancellation of one. */
export function DocumentButton({ document: { id, number }, kind, isNamed = false }: Props) {
  const { name, download } = t.documents[kind];
  const { follow, pending, failure } = useLink(ReceiptLinkDocument, linkOf, { id });
  return (
    <span className="document">
      <Button
        look="bare"
        small
        icon="download"
        isPending={pending}
        aria-label={download(number)}
        onPress={() => follow({})}
      >
        <bdi>{number}</bdi>
      </Button>
      {isNamed && <span className="sub-line">{name}</span>}
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
