import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { before, suite, test } from "node:test";
import { pathToFileURL } from "node:url";
import { format } from "node:util";
import { ours } from "../lab/program.js";
import { allExamples } from "./examples.js";

/** test/library/compile creates it. */
const FOLDER = resolve("dist/library");

suite("the examples of the documents", () => {
  before(() => ours(["-C"])); // loads the module

  const examples = allExamples();
  // The examples depend on each other, so they run in the order of the documents.
  for (const { name, code, output } of examples)
    test(`${name} prints the output in the document`, async (t) => {
      assert.equal(
        readFileSync(join(FOLDER, `${name}.ts`), "utf8"),
        code,
        "compiled before it was changed: run test/library/compile",
      );
      let printed = "";
      t.mock.method(console, "log", (...words: unknown[]) => {
        printed += `${format(...words)}\n`;
      });
      await import(pathToFileURL(join(FOLDER, `${name}.js`)).href);
      assert.equal(printed, output);
    });

  test("the last example of docs/library.md reports a missing CAP_NET_ADMIN and ends", () => {
    const last = examples
      .filter(({ name }) => /^library-[0-9]+$/.test(name))
      .at(-1);
    const { stdout, stderr, status } = spawnSync(
      "setpriv",
      [
        "--bounding-set=-net_admin",
        "--inh-caps=-net_admin",
        process.execPath,
        join(FOLDER, `${last?.name ?? ""}.js`),
      ],
      { encoding: "utf8", timeout: 600_000 },
    );
    assert.equal(stderr, "");
    const said =
      "IPVS is not available: EPERM: run it as root, or with CAP_NET_ADMIN";
    assert.equal(stdout, `${said}\n`);
    assert.ok(readFileSync("docs/library.md", "utf8").includes(said));
    assert.equal(status, 0);
  });
});
