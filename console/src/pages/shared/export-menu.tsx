import type { ExportFormat } from "../../api/generated/graphql";
import type { Link } from "../../api/use-link";
import { shared } from "../../text/shared";
import { MenuButton } from "../../ui/menu-button";
import { Sentence } from "../../ui/sentence";
import { Notice } from "../../ui/states";
import { messageOf } from "./failure";

const FORMATS: readonly ExportFormat[] = ["CSV", "JSONL", "FOCUS"];

type Props = { link: Link<{ format: ExportFormat }>; formats?: readonly ExportFormat[] };

/** Downloads a file in the format that is picked. */
export function ExportMenu({ link, formats = FORMATS }: Props) {
  const { follow, pending, failure } = link;
  return (
    <>
      <MenuButton
        label={shared.export.label}
        icon="download"
        pending={pending}
        items={formats.map((id) => ({ id, label: shared.export.formats[id] }))}
        onAction={(id) => follow({ format: id as ExportFormat })}
      />
      {failure && (
        <Notice tone="bad">
          {shared.export.failed}: <Sentence>{messageOf(failure)}</Sentence>
        </Notice>
      )}
    </>
  );
}
