import { ReceiptLinkDocument, type ReceiptLinkQuery } from "../../api/generated/graphql";
import { useLink } from "../../api/use-link";
import { Button } from "../../ui/button";
import { text } from "../../util/text";

type Props = {
  id: string;
  number: string;
  label: string;
  /** What it is, where it is not the receipt. */
  note?: string;
};

/** Downloads a receipt or a credit note. */
export function ReceiptButton({ id, number, label, note }: Props) {
  const { follow, pending, failure } = useLink(ReceiptLinkDocument, linkOf, { id });
  return (
    <span className="document">
      <Button
        look="bare"
        small
        icon="download"
        isPending={pending}
        aria-label={label}
        onPress={() => follow({})}
      >
        {number}
      </Button>
      {note && <span className="sub-line">{note}</span>}
      {failure && (
        <span className="sub-line bad-text" role="alert">
          {text.purchases.receiptFailed}
        </span>
      )}
    </span>
  );
}

function linkOf({ node }: ReceiptLinkQuery): string | null {
  return node && "downloadUrl" in node ? node.downloadUrl : null;
}
