import { createContext } from "react";
import type { ExportFormat } from "../../api/generated/graphql";

export const EXPORT_FORMATS: readonly ExportFormat[] = ["CSV", "XLSX", "JSONL", "PARQUET", "FOCUS"];
/** FOCUS is a format of charges alone. */
export const WITHOUT_FOCUS = EXPORT_FORMATS.filter((each) => each !== "FOCUS");

/** The formats that the gateway writes: Parquet needs an optional dependency. */
export const WrittenFormats = createContext(EXPORT_FORMATS);
