import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { startRegistry } from "./npm-registry.js";

/* An installation with npm, with the real light program in it. */

const folder = mkdtempSync(join(tmpdir(), "npm."));
const registry = await startRegistry();
after(async () => {
  await registry[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});
execFileSync("bash", ["bin/package-npm", "-o", join(folder, "packages")], {
  stdio: ["ignore", "ignore", "inherit"],
});
registry.offer(join(folder, "packages"));
const prefix = join(folder, "prefix");
await registry.npm(prefix, "install", "ipvsadm");

function run(name: string, ...words: readonly string[]) {
  const { stdout, stderr, status } = spawnSync(
    join(prefix, "bin", name),
    words,
    { encoding: "latin1" },
  );
  return { stdout, stderr, status };
}

suite("the light program of an installation with npm", () => {
  for (const name of ["ipvsadm", "ipvsadm-save", "ipvsadm-restore"])
    test(`is ${name}`, () => {
      const file = readFileSync(join(prefix, "bin", name));
      assert.equal(file.toString("latin1", 0, 4), "\x7fELF");
      assert.ok(file.length < 2 * 1024 * 1024);
    });

  test("takes the classic options", () => {
    assert.match(run("ipvsadm", "--version").stdout, /^ipvsadm v1\.31 \(/);
    assert.deepEqual(run("ipvsadm", "-A", "-t", "nonsense"), {
      stdout: "",
      stderr: "illegal virtual server address[:port] specified\n",
      status: 2,
    });
  });

  test("has Node.js run the subcommands", () => {
    const { stdout, stderr, status } = run("ipvsadm", "doctor", "--list");
    assert.match(stdout, /module-absent/);
    assert.deepEqual([stderr, status], ["", 0]);
  });

  test("is one file on the disk under all its names", () => {
    const names = ["ipvsadm", "ipvsadm-save", "ipvsadm-restore"];
    const inodes = names.map((name) => statSync(join(prefix, "bin", name)).ino);
    assert.equal(new Set(inodes).size, 1);
  });

  test("goes when the package is removed", async () => {
    await registry.npm(prefix, "uninstall", "ipvsadm");
    assert.ok(!existsSync(join(prefix, "bin/ipvsadm")));
    assert.ok(!existsSync(join(prefix, "lib/node_modules/ipvsadm")));
  });
});
