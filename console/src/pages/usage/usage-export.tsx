import { UsageExportLinkDocument, type UsageExportLinkQuery } from "../../api/generated/graphql";
import { useDownload } from "../../api/use-download";
import { usage as t } from "../../text/usage";
import { ExportMenu } from "../shared/export-menu";
import { EXPORT_FORMATS, WITHOUT_FOCUS } from "../shared/features";
import { type UsageScope, variablesOf } from "./usage-scope";

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
        { rows: "BUCKETS", label: BUCKETS[interval], formats: WITHOUT_FOCUS },
        { rows: "SERIES", label: SERIES(t.dimensions[by]), formats: WITHOUT_FOCUS },
      ]}
    />
  );
}

function linkOf({ account }: UsageExportLinkQuery): string | undefined {
  return account?.usage.exportUrl;
}
