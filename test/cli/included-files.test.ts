import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { after, suite, test } from "node:test";
import { findIncluded } from "../../src/cli/included-files.js";

suite("findIncluded()", () => {
  const folder = mkdtempSync(join(tmpdir(), "include-"));
  mkdirSync(join(folder, "conf.d", "sub"), { recursive: true });
  for (const name of [
    "a.conf",
    "b.conf",
    "b.conf.bak",
    ".c.conf",
    "[x].conf",
    "sub/d.conf",
  ])
    writeFileSync(join(folder, "conf.d", name), `# ${name} é\n`);
  after(() => {
    rmSync(folder, { recursive: true });
  });
  const found = (pattern: string) =>
    findIncluded(pattern, join(folder, "keepalived.conf")).map(({ name }) =>
      relative(join(folder, "conf.d"), name),
    );

  test("resolves patterns from the folder of the including file", () => {
    assert.deepEqual(found("conf.d/*.conf"), ["[x].conf", "a.conf", "b.conf"]);
    assert.deepEqual(found(`${folder}/conf.d/?.conf`), ["a.conf", "b.conf"]);
    assert.deepEqual(found("conf.d/[!a].conf"), ["b.conf"]);
    assert.deepEqual(found("c*/[ab].conf"), ["a.conf", "b.conf"]);
    assert.deepEqual(found("conf.d/{b,a,x}.conf"), ["b.conf", "a.conf"]);
    assert.deepEqual(found("conf.d/*/*.conf"), ["sub/d.conf"]);
    assert.deepEqual(found("conf.d/.c.conf"), [".c.conf"]);
    assert.deepEqual(found("other/*"), []);
    assert.deepEqual(found("conf.d/[z-a].conf"), []);
  });

  test("does not read a named pipe, which could block forever", () => {
    execFileSync("mkfifo", [join(folder, "pipe.conf")]);
    const [file] = findIncluded("pipe.conf", join(folder, "keepalived.conf"));
    assert.equal(file?.text, undefined);
  });

  test("returns the decoded text, or undefined if it cannot be read", () => {
    const texts = findIncluded("conf.d/{a.conf,sub}", join(folder, "x"));
    assert.deepEqual(
      texts.map(({ text }) => text),
      ["# a.conf é\n", undefined],
    );
  });
});
