// Prints the page's words of each language, by their path: `{"en": {"shell.retry": "Try again"}}`.
// Sentences that take something are printed with its letters in its place.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { rolldown } from "rolldown";

const PARTS = ["shell", "billing", "usage"];
const PLACES = ["gpu-hour", "tib-hour"];

function flat(words, path) {
  if (typeof words === "string") return [[path, words]];
  if (typeof words === "function") return [[path, words(...PLACES)]];
  return Object.entries(words).flatMap(([name, each]) => flat(each, `${path}.${name}`));
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
      Object.assign(printed[language], Object.fromEntries(flat(words, part)));
    }
  }
  process.stdout.write(JSON.stringify(printed));
} finally {
  await rm(folder, { recursive: true });
}
