// Puts the manifest of the page's documents beside the page.
import { copyFileSync } from "node:fs";

copyFileSync(
  "src/api/generated/persisted-documents.json",
  "../gateway/static/persisted-documents.json",
);
