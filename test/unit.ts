import { readdirSync } from "node:fs";
import { suite } from "node:test";
import { fileURLToPath } from "node:url";

/*
 * Runs all unit tests in one process: starting a process for each file takes longer than the tests. A suite around each
 * file keeps its hooks to itself. Tests of memory and time (*.scale.test.ts) need processes of their own: test/scale.
 */

const folder = fileURLToPath(new URL(".", import.meta.url));
const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
  .filter(
    (name) => name.endsWith(".test.js") && !name.endsWith(".scale.test.js"),
  )
  .sort();

for (const file of files)
  void suite(file.replace(/\.js$/, ".ts"), async () => {
    await import(`./${file}`);
  });
