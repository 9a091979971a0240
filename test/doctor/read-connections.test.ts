import assert from "node:assert/strict";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { groupsOf } from "../../src/doctor/connections.js";
import { readConnections } from "../../src/doctor/read-connections.js";
import { INET } from "../../src/ipvs/address.js";
import { serverEntry, serviceEntry } from "../fixtures/entries.js";
import { serviceAt } from "./made-up.js";

const FILE = join(mkdtempSync(join(tmpdir(), "connections.")), "ip_vs_conn");
writeFileSync(
  FILE,
  `Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData
TCP C0000264 2711 C0000201 0050 C000020A 0050 SYN_RECV         58
TCP C0000264 2712 C0000201 0050 C000020A 0050 SYN_RECV         58
TCP C0000264 2713 C0000201 0050 C000020A 0050 ESTABLISHED     899
TCP C0000264 2714 C0000201 0050 C000020A 0050 ESTABLISHED     100
TCP C0000264 2715 C0000201 0051 C000020A 0050 ESTABLISHED      99
TCP C0000264 0000 C0000201 0050 C000020A 0050 NONE             30
TCP C0000264 2710 C0000201 0050 C000020B 0050 ESTABLISHED     898
`,
);

test("readConnections() counts by service, server and state, without templates", async () => {
  const connections = await readConnections(FILE);
  assert.equal(connections.entries, 7);
  const [group, ...others] = groupsOf(
    connections,
    serviceAt("192.0.2.1"),
    serverEntry("192.0.2.10", 80),
  );
  assert.deepEqual(others, []);
  assert.deepEqual(
    group?.states,
    new Map([
      ["SYN_RECV", { count: 2, longestSeconds: 58, shortestSeconds: 58 }],
      ["ESTABLISHED", { count: 2, longestSeconds: 899, shortestSeconds: 100 }],
    ]),
  );
  assert.deepEqual(group.opening, new Map([[58, 2]]));
});

test("groupsOf() finds the connections of a firewall mark by the server's address", async () => {
  const mark = serviceEntry({ family: INET, firewallMark: 7 });
  const connections = await readConnections(FILE);
  assert.equal(
    groupsOf(connections, mark, serverEntry("192.0.2.10", 0)).length,
    2,
  );
});

test("readConnections() throws the error of open(2) if the file is missing", async () => {
  await assert.rejects(readConnections(`${FILE}.not`), { code: "ENOENT" });
});
