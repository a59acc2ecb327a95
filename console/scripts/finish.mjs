// Puts the manifest of the page's documents beside the page, and beside each file that the page loads
// its Brotli variant: a fifth smaller than what a server makes in passing.
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";
import { brotliCompress } from "node:zlib";

const OUTPUT = "../gateway/static";
const ASSETS = `${OUTPUT}/assets`;
const COMPRESSED = /\.(js|css|svg)$/;

copyFileSync("src/api/generated/persisted-documents.json", `${OUTPUT}/persisted-documents.json`);

const names = readdirSync(ASSETS).filter((name) => COMPRESSED.test(name));
const loaded = new Set();

/** Follow a file's text to the files that it names. */
function follow(path) {
  const text = readFileSync(path, "utf8");
  for (const name of names) {
    if (loaded.has(name) || !text.includes(name)) continue;
    loaded.add(name);
    follow(`${ASSETS}/${name}`);
  }
}

follow(`${OUTPUT}/index.html`);
const compress = promisify(brotliCompress);
await Promise.all(
  [...loaded].map(async (name) => {
    const path = `${ASSETS}/${name}`;
    writeFileSync(`${path}.br`, await compress(readFileSync(path)));
  }),
);
