import assert from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { INET } from "../../../src/ipvs/address.js";
import { BACKUP, MASTER, TCP } from "../../../src/ipvs/model.js";
import { IpvsUnavailable } from "../../../src/ipvs/errors.js";
import { PLAIN } from "../../../src/cli/color.js";
import { jsonText } from "../../../src/document/json-text.js";
import { totalsOf } from "../../../src/ipvs/totals.js";
import type {
  IpvsStatus,
  Report,
} from "../../../src/commands/status/read-status.js";
import { parseKernelStatus } from "../../../src/doctor/kernel-status.js";
import { changedSysctls } from "../../../src/commands/status/changed-sysctls.js";
import {
  statusJson,
  statusLines,
} from "../../../src/commands/status/status-view.js";
import {
  address,
  serverEntry,
  serviceEntry,
  stats,
} from "../../fixtures/entries.js";
import { scriptedKernel } from "../../classic/scripted-kernel.js";
import { TIMEOUTS } from "../../fixtures/replies.js";
import { golden, goldenName, WIDTHS } from "../golden.js";
import { subcommand } from "../run-subcommand.js";

const GET_CONFIG = 13;

const SERVICE = {
  ...serviceEntry(
    { family: INET, protocol: TCP, address: address("192.0.2.1"), port: 80 },
    {},
    [
      {
        ...serverEntry("192.0.2.10", 80),
        activeConnections: 12_345,
        inactiveConnections: 6,
      },
      {
        ...serverEntry("192.0.2.11", 80),
        activeConnections: 5,
        persistentConnections: 1,
      },
    ],
  ),
  stats: stats({
    connections: 2n ** 60n,
    inBytes: 2n ** 53n + 1n,
    inBytesPerSecond: 1_234_567n,
  }),
};

const REPORT: Report = {
  kernel: "6.1.0-test",
  module: {
    state: "loaded",
    references: 4,
    users: ["ip_vs_wrr", "ip_vs_sh"],
    parameters: { conn_tab_bits: "12" },
  },
  ipvs: {
    info: { version: 0x010201, connectionTableSize: 4096 },
    timeouts: { tcpSeconds: 900, tcpFinSeconds: 120, udpSeconds: 300 },
    daemons: [
      {
        state: MASTER,
        multicastInterface: "eth0",
        syncId: 1,
        multicastGroup: address("224.0.0.81"),
        multicastPort: 8848,
      },
      { state: BACKUP, multicastInterface: "eth\x1b", syncId: 0 },
    ],
    totals: totalsOf([SERVICE, SERVICE]),
  },
  connectionEntries: 2048,
  mostConnectionEntries: undefined,
  kernelStatus: undefined,
  sysctls: changedSysctls({
    conntrack: "1",
    sync_threshold: "3\t40",
    pmtu_disc: "1",
    sync_qlen_max: "7",
  }),
  may: {
    administerNetworks: true,
    readConnections: true,
    openRawSockets: false,
  },
};

const BLIND: Report = {
  kernel: "6.1.0-test",
  module: { state: "absent", users: [], parameters: {} },
  ipvs: new IpvsUnavailable(2),
  connectionEntries: undefined,
  mostConnectionEntries: undefined,
  kernelStatus: undefined,
  sysctls: undefined,
  may: {
    administerNetworks: false,
    readConnections: false,
    openRawSockets: false,
  },
};

/** As a kernel of 2026 reports it. */
const NEWER: Report = {
  ...REPORT,
  connectionEntries: 9401,
  mostConnectionEntries: 1073741824,
  kernelStatus: parseKernelStatus(
    readFileSync("test/fixtures/ip_vs_status", "utf8"),
  ),
};

for (const [name, report] of [
  ["status", REPORT],
  ["status-newer", NEWER],
  ["status-blind", BLIND],
] as const) {
  for (const width of WIDTHS)
    test(`${name} at width ${width ?? "unlimited"}`, () => {
      const lines = statusLines(report, { paint: PLAIN, width });
      golden(
        goldenName(name, width),
        lines.map((line) => `${line}\n`).join(""),
      );
    });

  test(`${name} as JSON`, () => {
    golden(`${name}.json`, `${jsonText(statusJson(report))}\n`);
  });
}

test("status fits 24 lines", () => {
  assert.ok(statusLines(REPORT, { paint: PLAIN, width: 80 }).length <= 24);
});

test("status on a newer kernel whose connection table does not exist yet divides by no zero", () => {
  const report: Report = {
    ...NEWER,
    ipvs: {
      ...(REPORT.ipvs as IpvsStatus),
      info: { version: 0x010201, connectionTableSize: 0 },
    },
    connectionEntries: 0,
    kernelStatus: parseKernelStatus("Conns:\t0\nServices:\t0\n"),
  };
  const text = statusLines(report, { paint: PLAIN, width: undefined });
  assert.ok(
    text.includes("Connections  0 entries, limit 1073741824"),
    text.join("\n"),
  );
  assert.doesNotMatch(text.join("\n"), /NaN|Infinity|Hash tables/);
});

test("status reads the files of a newer kernel", async () => {
  const folder = mkdtempSync(join(tmpdir(), "status-"));
  try {
    for (const [path, text] of [
      ["net/ip_vs_status", readFileSync("test/fixtures/ip_vs_status", "utf8")],
      ["sys/net/ipv4/vs/conn_max", "1000000\n"],
      ["sys/net/ipv4/vs/conn_lfactor", "-5\n"],
      ["sys/net/ipv4/vs/svc_lfactor", "-3\n"],
      ["sys/net/ipv4/vs/run_estimation", "0\n"],
      ["sys/net/ipv4/vs/est_nice", "0\n"],
      ["sys/net/ipv4/vs/est_cpulist", "0-3\n"],
    ] as const) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    const { stdout } = await subcommand("status", {
      link: scriptedKernel((command) =>
        command === GET_CONFIG ? { messages: [TIMEOUTS] } : {},
      ),
      io: { procFolder: folder },
    });
    assert.match(stdout, /^Connections {2}9401 entries.*, limit 1000000$/m);
    assert.match(stdout, /^Estimation {3}1 of 16 threads/m);
    assert.match(stdout, /^Sysctls {6}2 changed from their defaults:$/m);
    assert.match(stdout, /net\.ipv4\.vs\.conn_lfactor +-5 +-4$/m);
    assert.match(stdout, /net\.ipv4\.vs\.run_estimation +0 +1$/m);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("changedSysctls() compares only sysctls with a known default", () => {
  assert.deepEqual(
    changedSysctls({
      conntrack: "1",
      amemthresh: "1024",
      sync_threshold: "3\t50",
      est_cpulist: "0-3",
    }),
    [{ name: "net.ipv4.vs.conntrack", value: "1", default: "0" }],
  );
});

test("status without IPVS shows what it can, sends no request, and returns 3", async () => {
  const { stdout, stderr, status, log } = await subcommand("status");
  assert.match(stdout, /^Kernel {7}unknown\nModule {7}ip_vs is not loaded\n/);
  assert.match(
    stderr,
    /^ipvsadm: cannot reach IPVS in the kernel: .*: load its module as root with 'modprobe ip_vs'\n$/,
  );
  assert.equal(status, 3);
  assert.deepEqual(log, ["flush"]);
});

test("statusLines() escapes control characters from /proc", () => {
  const report: Report = {
    ...BLIND,
    kernel: "6.1\x1b[31m\r",
    module: { state: "loaded", users: ["ip_vs_\x07"], parameters: {} },
  };
  const text = statusLines(report, { paint: PLAIN, width: undefined }).join(
    "\n",
  );
  // eslint-disable-next-line no-control-regex -- control characters are what it looks for
  assert.doesNotMatch(text, /[\x00-\x09\x0b-\x1f]/);
});
