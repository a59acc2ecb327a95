import type { ExportFormat } from "../../api/generated/graphql";
import type { Download } from "../../api/use-download";
import { shared } from "../../text/shared";
import { MenuButton } from "../../ui/menu-button";
import { Sentence } from "../../ui/sentence";
import { Notice } from "../../ui/states";
import { messageOf } from "./failure";

export const EXPORT_FORMATS: readonly ExportFormat[] = ["CSV", "XLSX", "JSONL", "PARQUET", "FOCUS"];
/** FOCUS is a format of charges alone. */
export const WITHOUT_FOCUS = EXPORT_FORMATS.filter((each) => each !== "FOCUS");

type Section<Rows extends string> = {
  rows: Rows;
  /** What the rows are, where there is a choice. */
  label?: string;
  formats: readonly ExportFormat[];
};

type Props<Rows extends string> = {
  download: Download<{ format: ExportFormat; rows: Rows }>;
  sections: readonly Section<Rows>[];
};

/** Downloads a file with the selected rows in the selected format. */
export function ExportMenu<Rows extends string>({ download, sections }: Props<Rows>) {
  const { start, pending, failure } = download;
  const files = sections.flatMap(({ rows, formats }) =>
    formats.map((format) => ({ id: `${rows} ${format}`, rows, format })),
  );
  return (
    <>
      <MenuButton
        label={shared.export.label}
        icon="download"
        pending={pending}
        sections={sections.map(({ rows, label, formats }) => ({
          ...(label !== undefined && { title: label }),
          items: formats.map((format) => ({
            id: `${rows} ${format}`,
            label: shared.export.formats[format],
          })),
        }))}
        onAction={(id) => {
          const file = files.find((each) => each.id === id);
          if (file) start({ format: file.format, rows: file.rows });
        }}
      />
      {failure && (
        <Notice tone="bad">
          {shared.export.failed}: <Sentence>{messageOf(failure)}</Sentence>
        </Notice>
      )}
    </>
  );
}
