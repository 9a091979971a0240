import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { countsIn, failedTests } from "../runner/counts.js";

const SCRIPT = "test/lab/side-by-side";

suite("test/lab/side-by-side", () => {
  const folder = mkdtempSync(join(tmpdir(), "suites."));
  after(() => {
    rmSync(folder, { recursive: true });
  });

  function suiteFile(name: string, lines: readonly string[]): string {
    const file = join(folder, `${name}.js`);
    writeFileSync(file, lines.join("\n"));
    return file;
  }

  function run(
    words: readonly string[],
    env: NodeJS.ProcessEnv = {},
  ): { stdout: string; stderr: string; status: number | null } {
    return spawnSync("bash", [SCRIPT, ...words], {
      encoding: "utf8",
      env: { ...process.env, ...env },
    });
  }

  /** Meets the other one, then makes what exists once in a network namespace. */
  const meeting = (mine: string, other: string, rest: readonly string[]) =>
    suiteFile(mine, [
      'const { test } = require("node:test");',
      'const { createServer } = require("node:net");',
      'const { execFileSync } = require("node:child_process");',
      'const { existsSync, writeFileSync } = require("node:fs");',
      'const { setTimeout: sleep } = require("node:timers/promises");',
      `test("${mine} has a network of its own", async () => {`,
      `  writeFileSync(${JSON.stringify(join(folder, mine))}, "");`,
      `  while (!existsSync(${JSON.stringify(join(folder, other))})) await sleep(50);`,
      '  execFileSync("ip", ["netns", "add", "machine"]);',
      '  const server = createServer().listen(8080, "127.0.0.1");',
      '  await new Promise((resolve, reject) => server.once("listening", resolve).once("error", reject));',
      `  server.close();`,
      "});",
      ...rest,
    ]);

  test("suites run at the same time, each in namespaces of its own, and a crash of one hides no other", () => {
    const one = meeting("one", "two", [
      'test("one fails", () => { throw new Error("as it should"); });',
    ]);
    const two = meeting("two", "one", [
      'test("two kills its process", () => new Promise(() => process.kill(process.pid, "SIGKILL")));',
    ]);
    const { stdout, stderr, status } = run([one, two]);
    assert.equal(status, 1, stdout);
    assert.match(stderr, /two\.js ended with status 137\n/);
    assert.deepEqual(failedTests(stdout), ["one fails"], stdout);
    assert.deepEqual(countsIn(stdout), { passed: 1, failed: 2, skipped: 0 });
  });

  test("options go to each suite, and the status is 0 if all pass", () => {
    const suites = ["three", "four"].map((name) =>
      suiteFile(name, [
        'const { test } = require("node:test");',
        'test("a name", () => undefined);',
        'test("another name", () => { throw new Error("not selected"); });',
      ]),
    );
    const { stdout, status } = run(["--test-name-pattern=^a name$", ...suites]);
    assert.equal(status, 0, stdout);
    assert.equal(countsIn(stdout)?.passed, 2, stdout);
  });

  test("a suite that does not end is stopped a minute before the guest", () => {
    const hanging = suiteFile("hanging", ["setInterval(() => 1, 1000);"]);
    const { stdout, stderr, status } = run([hanging], { LAB_TIMEOUT: "61" });
    assert.equal(status, 1);
    assert.match(stdout, /^== .*hanging\.js$/m);
    assert.match(stderr, /hanging\.js is stopped: it ran for 1 s\n/);
  });
});
