import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { readConnectionLimits } from "../../src/doctor/connection-limits.js";

/** As newer kernels print it; no kernel at hand has it. */
const STATUS = `Conns:\t9401
Conn buckets:\t524288 (19 bits, lfactor -5)
Conn buckets empty:\t505633 (96%)
Services:\t12
`;

function read(files: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), "doctor-"));
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    return readConnectionLimits(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("readConnectionLimits() reads the status and sysctls of newer kernels", () => {
  const files = {
    "net/ip_vs_status": STATUS,
    "sys/net/ipv4/vs/conn_max": "1073741824\n",
    "sys/net/ipv4/vs/conn_lfactor": "-4\n",
    "sys/net/netfilter/nf_conntrack_count": "17\n",
    "sys/net/netfilter/nf_conntrack_max": "65536\n",
  };
  const expected = {
    entries: 9401,
    most: 1073741824,
    loadFactor: -4,
    tracked: 17,
    mostTracked: 65536,
  };
  assert.deepEqual(read(files), expected);
});

test("readConnectionLimits() knows nothing on a kernel without these files", () => {
  assert.deepEqual(read({}), {
    entries: undefined,
    most: undefined,
    loadFactor: undefined,
    tracked: undefined,
    mostTracked: undefined,
  });
});
