import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { suite, test } from "node:test";
import { bash, installPrograms } from "../lab/installed.js";
import { ours } from "../lab/program.js";

const SMOKE = resolve("test/packaging/smoke");

suite("test/packaging/smoke", () => {
  const folder = installPrograms();

  test("it succeeds if everything is available, and leaves the table unchanged", async () => {
    const before = await ours(["-Sn"]);
    const { stdout, stderr, status } = bash(folder, SMOKE);
    assert.equal(stderr, "");
    assert.equal(stdout, "smoke: ipvsadm works here\n");
    assert.equal(status, 0);
    assert.deepEqual(await ours(["-Sn"]), before);
  });

  test("it exits with 10 without CAP_NET_ADMIN", () => {
    const { stderr, status } = bash(
      folder,
      `setpriv --bounding-set -net_admin --inh-caps -net_admin ${SMOKE}`,
    );
    assert.match(stderr, /^smoke: no CAP_NET_ADMIN: .*--cap-add NET_ADMIN\n$/);
    assert.equal(status, 10);
  });

  test("it exits with 11 without generic netlink", () => {
    const { stderr, status } = bash(folder, SMOKE, "", {
      SMOKE_PROC: procWith("self/status"),
    });
    assert.match(stderr, /^smoke: no generic netlink/);
    assert.equal(status, 11);
  });

  test("it exits with 12 without the module", () => {
    const { stderr, status } = bash(folder, SMOKE, "", {
      SMOKE_PROC: procWith("self/status", "net/netlink"),
    });
    assert.match(stderr, /^smoke: the kernel has no ip_vs: .*modprobe ip_vs/);
    assert.equal(status, 12);
  });

  test("it exits with 13 if the program does nothing", () => {
    const { stderr, status } = bash(folder, SMOKE, "", { IPVSADM: "true" });
    assert.match(stderr, /^smoke: the service was not listed/);
    assert.equal(status, 13);
  });

  /** A /proc with only some of its files. */
  function procWith(...files: string[]): string {
    const proc = mkdtempSync(join(tmpdir(), "proc."));
    for (const file of files) {
      mkdirSync(join(proc, file, ".."), { recursive: true });
      symlinkSync(join("/proc", file), join(proc, file));
    }
    return proc;
  }
});
