import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { arch, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, suite, test } from "node:test";

suite("find-bun", () => {
  const runtime = arch() === "arm64" ? "aarch64" : "x64";
  const inPlatformPackage = `node_modules/@oven/bun-linux-${runtime}/bin/bun`;
  const inMainPackage = "node_modules/bun/bin/bun.exe";
  let folder = "";

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "find-bun."));
    mkdirSync(join(folder, "bin"));
    copyFileSync("bin/find-bun", join(folder, "bin/find-bun"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  function program(file: string, text: string): void {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  }
  const find = () =>
    spawnSync("bash", [join(folder, "bin/find-bun")], { encoding: "utf8" });

  test("finds Bun where an installation without scripts leaves it", () => {
    program(inPlatformPackage, "exit 0");
    program(inMainPackage, "exit 1"); // tells to run the install script
    assert.equal(find().stdout, `${join(folder, inPlatformPackage)}\n`);
  });

  test("finds Bun where its install script moves it", () => {
    program(inMainPackage, "exit 0");
    assert.equal(find().stdout, `${join(folder, inMainPackage)}\n`);
  });

  test("names the remedy if there is no Bun", () => {
    program(inMainPackage, "exit 1");
    const { stdout, stderr, status } = find();
    assert.match(stderr, /^find-bun: .*: run 'npm ci'\n$/);
    assert.deepEqual([stdout, status], ["", 69]);
  });
});
