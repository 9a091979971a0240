// npm run build:page: makes dist/page/page.js, which contains the statistics page as one HTML file with its script, its style
// and the license of the chart library. The program imports it as #page.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath, URL } from "node:url";
import { Buffer } from "node:buffer";
import { build } from "esbuild";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const LARGEST_BYTES = 200_000;

/** Bundles a file, and returns it as text that may stand in an element of HTML. */
async function bundled(entry, element) {
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: [entry],
    bundle: true,
    minify: true,
    write: false,
    format: "iife",
    target: ["chrome123", "firefox120", "safari17.5"],
    charset: "utf8",
    legalComments: "none",
    logLevel: "warning",
  });
  const text = outputFiles[0].text.trim();
  if (text.includes(`</${element}`))
    throw new Error(`${entry} contains the end of its own element`);
  return text;
}

function hashOf(text) {
  const hash = createHash("sha256").update(text).digest("base64");
  return `'sha256-${hash}'`;
}

const library = join(ROOT, "node_modules/uplot");
const { version } = JSON.parse(
  readFileSync(join(library, "package.json"), "utf8"),
);
const license = readFileSync(join(library, "LICENSE"), "utf8").trim();
const script = await bundled("src/page/main.ts", "script");
const style = await bundled("src/page/all.css", "style");
const html = readFileSync(join(ROOT, "src/page/page.html"), "utf8")
  .replace(/\n\s*/g, "\n")
  .replace(
    "<!doctype html>",
    () =>
      `<!doctype html>\n<!-- The charts are drawn by uPlot ${version}:\n${license}\n-->`,
  )
  .replace("<style></style>", () => `<style>${style}</style>`)
  .replace("<script></script>", () => `<script>${script}</script>`);
const bytes = Buffer.byteLength(html);
if (bytes > LARGEST_BYTES)
  throw new Error(`the page has ${bytes} bytes: at most ${LARGEST_BYTES}`);

const file = join(ROOT, "dist/page/page.js");
mkdirSync(dirname(file), { recursive: true });
const page = { html, scriptHash: hashOf(script), styleHash: hashOf(style) };
writeFileSync(file, `export const PAGE = ${JSON.stringify(page)};\n`);
if (process.argv.includes("--size")) process.stdout.write(`${bytes}\n`);
