import type { ExportFormat } from "../../api/generated/graphql";
import type { Download } from "../../api/use-download";
import { shared } from "../../text/shared";
import { MenuButton } from "../../ui/menu-button";
import { Sentence } from "../../ui/sentence";
import { Notice } from "../../ui/states";
import { messageOf } from "./failure";

const FORMATS: readonly ExportFormat[] = ["CSV", "JSONL", "FOCUS"];

type Props = { download: Download<{ format: ExportFormat }>; formats?: readonly ExportFormat[] };

/** Downloads a file in the selected format. */
export function ExportMenu({ download, formats = FORMATS }: Props) {
  const { start, pending, failure } = download;
  return (
    <>
      <MenuButton
        label={shared.export.label}
        icon="download"
        pending={pending}
        items={formats.map((id) => ({ id, label: shared.export.formats[id] }))}
        onAction={(id) => start({ format: id as ExportFormat })}
      />
      {failure && (
        <Notice tone="bad">
          {shared.export.failed}: <Sentence>{messageOf(failure)}</Sentence>
        </Notice>
      )}
    </>
  );
}
