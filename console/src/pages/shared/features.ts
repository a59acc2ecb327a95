// What the gateway may have been installed or set up without.

import { createContext } from "react";
import type { ExportFormat } from "../../api/generated/graphql";
import type { Settings } from "../../api/settings";

export const EXPORT_FORMATS: readonly ExportFormat[] = ["CSV", "XLSX", "JSONL", "PARQUET", "FOCUS"];
/** FOCUS is a format of charges alone. */
export const WITHOUT_FOCUS = EXPORT_FORMATS.filter((each) => each !== "FOCUS");

export type Features = Pick<Settings, "exportFormats" | "issuesReceipts" | "issuesStatements">;

export const FeaturesContext = createContext<Features>({
  exportFormats: EXPORT_FORMATS,
  issuesReceipts: true,
  issuesStatements: true,
});
