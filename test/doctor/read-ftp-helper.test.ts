import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { readFtpHelper } from "../../src/doctor/read-ftp-helper.js";

/** Reads what files in folders like those of procfs and sysfs say. */
function read(files: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), "ftp-helper-"));
  try {
    for (const [name, text] of Object.entries(files)) {
      const path = join(folder, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    }
    return readFtpHelper(join(folder, "proc"), join(folder, "sys"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** As Linux 6.1 prints it. */
const APPS = `prot port    usecnt name
TCP  2121    0      ftp              
TCP  21      4      ftp              
`;
const MODULES =
  "ip_vs_ftp 7795 4 - Live 0x00000000f5e9e000\nip_vs 162529 13 ip_vs_ftp, Live 0x00000000f602c000\n";
const PORTS = "sys/module/ip_vs_ftp/parameters/ports";

test("readFtpHelper() reads the ports of this network namespace", () => {
  assert.deepEqual(
    read({
      "proc/net/ip_vs_app": APPS,
      "proc/modules": MODULES,
      [PORTS]: "21\n",
    }),
    { module: "loaded", ports: [2121, 21] },
  );
  assert.deepEqual(
    read({ "proc/net/ip_vs_app": "prot port    usecnt name\n" }),
    {
      module: "absent",
      ports: [],
    },
  );
});

test("readFtpHelper() reads the parameter of the module where the kernel lists no ports", () => {
  assert.deepEqual(read({ "proc/modules": MODULES, [PORTS]: "21,2121\n" }), {
    module: "loaded",
    ports: [21, 2121],
  });
  assert.deepEqual(read({ [PORTS]: "21,0\n" }), {
    module: "built in",
    ports: [21],
  });
  assert.deepEqual(read({}), { module: "absent", ports: [] });
  assert.equal(read({ "proc/modules": MODULES }), undefined);
});
