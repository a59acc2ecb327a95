import {
  type ExportFormat,
  UsageExportLinkDocument,
  type UsageExportLinkQuery,
} from "../../api/generated/graphql";
import { useLink } from "../../api/use-link";
import { MenuButton } from "../../ui/menu-button";
import { Notice } from "../../ui/states";
import { text } from "../../util/text";
import { messageOf } from "../failure";
import type { UsageWindow } from "./usage-window";

const FORMATS = ["CSV", "JSONL", "FOCUS"] as const satisfies readonly ExportFormat[];

type Props = { account: string; window: UsageWindow };

/** Downloads every charge of the window. */
export function ExportMenu({ account, window: { interval, from, to, zone } }: Props) {
  const { follow, pending, failure } = useLink(UsageExportLinkDocument, linkOf);
  return (
    <>
      <MenuButton
        label={text.export.label}
        icon="download"
        pending={pending}
        items={FORMATS.map((id) => ({ id, label: text.export.formats[id] }))}
        onAction={(id) =>
          follow({ account, interval, from, to, timeZone: zone, format: id as ExportFormat })
        }
      />
      {failure && (
        <Notice tone="bad">
          {text.export.failed}: {messageOf(failure)}
        </Notice>
      )}
    </>
  );
}

function linkOf({ account }: UsageExportLinkQuery): string | undefined {
  return account?.usage.exportUrl;
}
