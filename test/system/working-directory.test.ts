import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { test } from "node:test";

const PROGRAM = resolve("dist/bin/ipvsadm.cjs");

/** Runs the program in a directory that is deleted before it starts. */
function runInDeletedDirectory(...words: readonly string[]) {
  const script = 'd=$(mktemp -d); cd "$d"; rmdir "$d"; exec "$@"';
  const line = [process.execPath, PROGRAM, ...words];
  return spawnSync("sh", ["-c", script, "sh", ...line], { encoding: "utf8" });
}

test("subcommands work in a deleted directory", () => {
  const file = resolve("examples/tables/web-nat.rules");
  const { stdout, stderr, status } = runInDeletedDirectory("check", file);
  assert.equal(stderr, "");
  assert.match(stdout, /^.*web-nat\.rules: no problems in 1 service/);
  assert.equal(status, 0);
});

test("a relative path in a deleted directory is a file that is not there", () => {
  const { stderr, stdout } = runInDeletedDirectory("check", "bin");
  assert.match(stdout + stderr, /cannot read bin: No such file or directory/);
});
