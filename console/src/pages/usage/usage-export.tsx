import {
  type ExportFormat,
  UsageExportLinkDocument,
  type UsageExportLinkQuery,
} from "../../api/generated/graphql";
import { useDownload } from "../../api/use-download";
import { usage as t } from "../../text/usage";
import { EXPORT_FORMATS, ExportMenu } from "../shared/export-menu";
import { type UsageScope, variablesOf } from "./usage-scope";

/** FOCUS is a format of charges alone. */
const OF_SUMS: readonly ExportFormat[] = EXPORT_FORMATS.filter((each) => each !== "FOCUS");

/** Downloads the charges of a scope, or their sums by bucket and by group. */
export function UsageExport({ scope }: { scope: UsageScope }) {
  const { by, window } = scope;
  const { interval } = window;
  const fixed = { ...variablesOf(scope), interval };
  const download = useDownload(UsageExportLinkDocument, linkOf, fixed);
  const { CHARGES, BUCKETS, SERIES } = t.exportRows;
  return (
    <ExportMenu
      download={{
        ...download,
        start: ({ format, rows }) =>
          download.start({ format, rows, by: rows === "SERIES" ? by : null }),
      }}
      sections={[
        { rows: "CHARGES", label: CHARGES, formats: EXPORT_FORMATS },
        { rows: "BUCKETS", label: BUCKETS[interval], formats: OF_SUMS },
        { rows: "SERIES", label: SERIES(t.dimensions[by]), formats: OF_SUMS },
      ]}
    />
  );
}

function linkOf({ account }: UsageExportLinkQuery): string | undefined {
  return account?.usage.exportUrl;
}
