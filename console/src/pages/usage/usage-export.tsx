import { UsageExportLinkDocument, type UsageExportLinkQuery } from "../../api/generated/graphql";
import { useLink } from "../../api/use-link";
import { ExportMenu } from "../shared/export-menu";
import type { UsageWindow } from "./usage-window";

type Props = { account: string; window: UsageWindow };

/** Downloads every charge of the window. */
export function UsageExport({ account, window: { interval, from, to, zone } }: Props) {
  const of = { account, interval, from, to, timeZone: zone };
  return <ExportMenu link={useLink(UsageExportLinkDocument, linkOf, of)} />;
}

function linkOf({ account }: UsageExportLinkQuery): string | undefined {
  return account?.usage.exportUrl;
}
