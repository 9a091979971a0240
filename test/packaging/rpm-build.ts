import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";

/*
 * Run as a program: builds the RPM packages for x86_64 twice from the programs in dist, and examines them. They are installed
 * into an empty folder, without their scripts: there is no system with RPM here.
 */

const work = mkdtempSync(join(tmpdir(), "rpm."));
after(() => {
  rmSync(work, { recursive: true });
});

function build(name: string, environment: Record<string, string>): string {
  const out = join(work, name);
  execFileSync("bash", ["bin/package-rpm", "-k", "-a", "x86_64", "-o", out], {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "ignore", "inherit"],
  });
  return out;
}

const first = build("first", { TZ: "UTC" });
const packages = readdirSync(first).filter((file) => file.endsWith(".rpm"));

/** Runs rpm with a database of its own. */
function rpm(...words: readonly string[]): string {
  return execFileSync("rpm", ["--dbpath", join(work, "database"), ...words], {
    encoding: "utf8",
  });
}

function sha256(file: string): string {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}

function fileOf(name: string): string {
  const file = packages.find((file) => file.replace(/-\d.*/, "") === name);
  if (file === undefined) throw new Error(`no package ${name}`);
  return join(first, file);
}

suite("npm run package:rpm", () => {
  test("makes three packages with valid digests", () => {
    assert.deepEqual(
      packages.map((file) => file.replace(/-\d.*/, "")),
      ["ipvsadm-lvs", "ipvsadm-lvs-full", "ipvsadm-lvs-runtime"],
    );
    for (const file of packages)
      assert.match(rpm("-K", join(first, file)), /: digests OK\n$/);
  });

  test("makes the same bytes at another time and in another time zone", () => {
    const second = build("second", { TZ: "Asia/Tokyo" });
    assert.deepEqual(readdirSync(second), readdirSync(first));
    for (const file of packages)
      assert.equal(sha256(join(first, file)), sha256(join(second, file)), file);
  });

  test("ipvsadm-lvs has the programs, the service and its settings", () => {
    const files = rpm("-qlp", fileOf("ipvsadm-lvs")).trim().split("\n");
    for (const file of [
      "/etc/default/ipvsadm",
      "/usr/sbin/ipvsadm",
      "/usr/sbin/ipvsadm-restore",
      "/usr/lib/systemd/system/ipvsadm.service",
      "/usr/share/man/man8/ipvsadm.8.gz",
    ])
      assert.ok(files.includes(file), file);
    assert.equal(rpm("-qcp", fileOf("ipvsadm-lvs")), "/etc/default/ipvsadm\n");
  });

  test("ipvsadm-lvs replaces the distribution's package", () => {
    const file = fileOf("ipvsadm-lvs");
    assert.match(rpm("-qp", "--provides", file), /^ipvsadm = 1\.31$/m);
    assert.match(rpm("-qp", "--obsoletes", file), /^ipvsadm < 1\.32$/m);
    assert.match(rpm("-qp", "--requires", file), /^kmod$/m);
  });

  test("no package requires libraries that only this machine has", () => {
    for (const file of packages)
      assert.doesNotMatch(
        rpm("-qp", "--requires", join(first, file)),
        /GLIBC_|^\/usr\/bin\/node/m,
      );
  });

  test("the packages are installed into an empty folder and erased again", () => {
    const root = join(work, "root");
    const there = ["--root", root, "--dbpath", "/database"];
    const run = (...words: readonly string[]) =>
      execFileSync("rpm", [...there, ...words], { encoding: "utf8" });
    run(
      "--install",
      "--nodeps",
      "--noscripts",
      "--ignorearch",
      ...packages.map((file) => join(first, file)),
    );
    assert.equal(
      run(
        "--verify",
        "--nodeps",
        "--noscripts",
        "ipvsadm-lvs",
        "ipvsadm-lvs-full",
        "ipvsadm-lvs-runtime",
      ),
      "",
    );
    assert.equal(readlinkSync(join(root, "usr/sbin/ipvsadm-save")), "ipvsadm");
    const version = (program: string) =>
      execFileSync(join(root, program), ["--version"], { encoding: "utf8" });
    assert.match(version("usr/sbin/ipvsadm"), /^ipvsadm v1\.31/);
    assert.match(version("usr/lib/ipvsadm/ipvsadm-full"), /^ipvsadm v1\.31/);
    assert.match(
      execFileSync(
        join(root, "usr/lib/ipvsadm/ipvsadm-node.cjs"),
        ["doctor", "--list"],
        { encoding: "utf8" },
      ),
      /module-absent/,
    );
    run(
      "--erase",
      "--noscripts",
      "ipvsadm-lvs-runtime",
      "ipvsadm-lvs-full",
      "ipvsadm-lvs",
    );
    assert.ok(!existsSync(join(root, "usr/sbin/ipvsadm")));
    assert.ok(!existsSync(join(root, "usr/lib/ipvsadm")));
  });

  test("the scripts are valid for sh", () => {
    const scripts = rpm("-qp", "--scripts", fileOf("ipvsadm-lvs"));
    for (const name of [
      "preinstall",
      "postinstall",
      "posttrans",
      "postuninstall",
    ])
      assert.match(
        scripts,
        new RegExp(`^${name} scriptlet \\(using /bin/sh\\)`, "m"),
      );
    for (const script of scripts.split(/^\w+ scriptlet .*$/m))
      execFileSync("sh", ["-n"], { input: script });
  });
});
