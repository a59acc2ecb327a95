// Prints the page's words of each language, by their path: `{"en": {"shared.retry": "Try again"}}`.
// A sentence with parameters is printed with examples in their place.
import { readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { rolldown } from "rolldown";

const PARTS = readdirSync("src/text/en").map((name) => name.replace(/\.ts$/, ""));
const EXAMPLES = ["gpu-hour", "tib-hour"];

function flatten(words, path) {
  if (typeof words === "string") return [[path, words]];
  if (typeof words === "function") return [[path, words(...EXAMPLES)]];
  return Object.entries(words).flatMap(([name, each]) => flatten(each, `${path}.${name}`));
}

const folder = await mkdtemp(join(tmpdir(), "words-"));
try {
  const printed = {};
  for (const language of ["en", "de"]) {
    printed[language] = {};
    for (const part of PARTS) {
      const bundle = await rolldown({ input: `src/text/${language}/${part}.ts` });
      const file = join(folder, `${language}-${part}.mjs`);
      await bundle.write({ file, codeSplitting: false });
      const words = (await import(pathToFileURL(file)))[part];
      Object.assign(printed[language], Object.fromEntries(flatten(words, part)));
    }
  }
  process.stdout.write(JSON.stringify(printed));
} finally {
  await rm(folder, { recursive: true });
}
