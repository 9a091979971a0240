import assert from "node:assert/strict";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { readFixedSysctls } from "../../src/doctor/read-sysctls.js";

test("readFixedSysctls() returns the settings whose files are read-only", () => {
  const folder = mkdtempSync(join(tmpdir(), "doctor-"));
  try {
    assert.deepEqual(readFixedSysctls(folder), new Set());
    for (const [path, mode] of [
      ["net/ipv4/vs/conn_lfactor", 0o444],
      ["net/ipv4/vs/conn_max", 0o644],
      ["net/netfilter/nf_conntrack_max", 0o444],
      ["net/ipv4/ip_forward", 0o444],
    ] as const) {
      const file = join(folder, "sys", path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, "1\n");
      chmodSync(file, mode);
    }
    assert.deepEqual(
      readFixedSysctls(folder),
      new Set(["net/ipv4/vs/conn_lfactor", "net/netfilter/nf_conntrack_max"]),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
