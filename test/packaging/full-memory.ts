import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { suite, test } from "node:test";

/** Of sys/prctl.h, and the number of prctl() on each processor. */
const [PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN] = [65, 1];
const PRCTL = { x64: 157, arm64: 167 }[process.arch as "x64" | "arm64"];

const FULL = resolve("dist/full/ipvsadm-full");
const NODE = [process.execPath, resolve("dist/bin/ipvsadm.cjs")];

/** Runs a command with limited address space. */
function limited(megabytes: number): string[] {
  return ["bash", "-c", `ulimit -v ${megabytes * 1024} && exec "$@"`, "bash"];
}

/** Runs a command whose memory may not become executable. */
const NO_EXECUTABLE_MEMORY = [
  "perl",
  "-e",
  `syscall(${String(PRCTL)}, ${String(PR_SET_MDWE)}, ${String(PR_MDWE_REFUSE_EXEC_GAIN)}, 0, 0, 0) == 0 or exit 69; exec @ARGV`,
];

function run(words: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const [program = "", ...others] = words;
  const { stdout, stderr, status } = spawnSync(program, others, {
    encoding: "latin1",
    env: { ...process.env, ...env },
  });
  return { stdout, stderr, status };
}

/** Why a test cannot be here: kernels before 6.3 have no PR_SET_MDWE. */
const skip =
  run([...NO_EXECUTABLE_MEMORY, "true"]).status === 69
    ? "the kernel has no PR_SET_MDWE"
    : false;

suite("a process with limited address space", () => {
  test("the full executable names the remedy in one line, with status 3", () => {
    for (const megabytes of [200, 3071]) {
      const { stdout, stderr, status } = run([
        ...limited(megabytes),
        ...[FULL, "list"],
      ]);
      assert.match(
        stderr,
        /^ipvsadm: the full program needs 3 GB of address space: raise the limit \(ulimit -v, LimitAS=\), .*\n$/,
      );
      assert.deepEqual([stdout, status], ["", 3]);
    }
  });

  for (const [name, program, megabytes] of [
    ["the full executable", [FULL], 3072],
    ["Node.js", NODE, 1536],
  ] as const)
    test(`${name} works with ${megabytes} MB`, () => {
      const { stdout, status } = run([
        ...limited(megabytes),
        ...[...program, "doctor", "--list"],
      ]);
      assert.match(stdout, /module-absent/);
      assert.equal(status, 0);
    });
});

suite("a process whose memory may not become executable", { skip }, () => {
  test("the full executable names the remedy in one line, with status 3", () => {
    const { stdout, stderr, status } = run([
      ...NO_EXECUTABLE_MEMORY,
      ...[FULL, "list"],
    ]);
    assert.match(
      stderr,
      /^ipvsadm: the full program needs executable memory: allow it \(MemoryDenyWriteExecute=no\), .*\n$/,
    );
    assert.deepEqual([stdout, status], ["", 3]);
  });

  test("Node.js runs it with --jitless", () => {
    for (const words of [["--version"], ["doctor", "--list"]]) {
      const { stdout, status } = run(
        [...NO_EXECUTABLE_MEMORY, ...NODE, ...words],
        { NODE_OPTIONS: "--jitless" },
      );
      assert.match(stdout, /ipvsadm v|module-absent/);
      assert.equal(status, 0);
    }
  });
});
