// Copies the manifest of the page's documents into the output, and adds a Brotli variant of each file that
// the page loads: a fifth smaller than a server's compression on the fly.
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";
import { brotliCompress } from "node:zlib";

const OUTPUT = "../gateway/static";
const ASSETS = `${OUTPUT}/assets`;
const COMPRESSED = /\.(js|css|svg)$/;

copyFileSync("src/api/generated/persisted-documents.json", `${OUTPUT}/persisted-documents.json`);

const names = readdirSync(ASSETS).filter((name) => COMPRESSED.test(name));
const loaded = new Set();

/** Add the files that a file's text names, and the files that these name. */
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
