import { UsageExportLinkDocument, type UsageExportLinkQuery } from "../../api/generated/graphql";
import { useDownload } from "../../api/use-download";
import { ExportMenu } from "../shared/export-menu";
import type { UsageWindow } from "./usage-window";

type Props = { account: string; window: UsageWindow };

/** Downloads every charge of the window. */
export function UsageExport({ account, window: { interval, from, to, zone } }: Props) {
  const fixed = { account, interval, from, to, timeZone: zone };
  return <ExportMenu download={useDownload(UsageExportLinkDocument, linkOf, fixed)} />;
}

function linkOf({ account }: UsageExportLinkQuery): string | undefined {
  return account?.usage.exportUrl;
}
