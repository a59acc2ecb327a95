import { useContext } from "react";
import type { ExportFormat } from "../../api/generated/graphql";
import type { Download } from "../../api/use-download";
import { shared } from "../../text/shared";
import { MenuButton } from "../../ui/menu-button";
import { Sentence } from "../../ui/sentence";
import { Notice } from "../../ui/states";
import { messageOf } from "./failure";
import { FeaturesContext } from "./features";

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
  const { exportFormats } = useContext(FeaturesContext);
  const lists = sections.map(({ rows, label, formats }) => ({
    label,
    files: formats
      .filter((format) => exportFormats.includes(format))
      .map((format) => ({ id: `${rows} ${format}`, rows, format })),
  }));
  return (
    <>
      <MenuButton
        label={shared.export.label}
        icon="download"
        pending={pending}
        sections={lists.map(({ label, files }) => ({
          ...(label !== undefined && { title: label }),
          items: files.map(({ id, format }) => ({ id, label: shared.export.formats[format] })),
        }))}
        onAction={(id) => {
          const file = lists.flatMap(({ files }) => files).find((each) => each.id === id);
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
