import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { scriptFor } from "../../../src/commands/completion/shell-scripts.js";
import { SHELLS, type Shell } from "../../../src/commands/completion/shells.js";
import { subcommand } from "../run-subcommand.js";

/** The names that the shells look for. The file for bash is installed as `ipvsadm`. */
const FILES: Readonly<Record<Shell, string>> = {
  bash: "packaging/completions/ipvsadm.bash",
  zsh: "packaging/completions/_ipvsadm",
  fish: "packaging/completions/ipvsadm.fish",
};

for (const shell of SHELLS) {
  test(`the packaged file for ${shell} is what completion prints (UPDATE_GOLDEN=1 writes it)`, async () => {
    const file = FILES[shell];
    if (process.env["UPDATE_GOLDEN"]) writeFileSync(file, scriptFor(shell));
    const { stdout, stderr, status } = await subcommand(`completion ${shell}`);
    assert.deepEqual([stderr, status], ["", 0]);
    assert.equal(stdout, readFileSync(file, "utf8"));
  });

  test(`${shell} parses its script`, (t) => {
    const { error, stdout, stderr, status } = spawnSync(
      shell,
      ["-n", FILES[shell]],
      { encoding: "utf8" },
    );
    if (error && !process.env["CI"]) {
      t.skip(`${shell} cannot be run: ${error.message}`);
      return;
    }
    assert.ifError(error);
    assert.deepEqual([stdout, stderr, status], ["", "", 0]);
  });
}

test("completion rejects an unknown shell", async () => {
  for (const [line, message] of [
    [
      "completion csh",
      "SHELL csh is not one of bash, zsh, fish: did you mean zsh?",
    ],
    ["completion", "missing argument SHELL"],
  ] as const) {
    const { stdout, stderr, status } = await subcommand(line);
    assert.deepEqual([stdout, status], ["", 2]);
    assert.ok(stderr.includes(message), stderr);
  }
});
