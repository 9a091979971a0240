import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { Connection } from "../../../src/ipvs/connections.js";
import { connectionLine, TITLE } from "../../fixtures/connections.js";
import { address } from "../../fixtures/entries.js";

const CONNECTION: Connection = {
  protocol: "TCP",
  client: address("198.51.100.7"),
  clientPort: 40000,
  virtual: address("192.0.2.1"),
  virtualPort: 80,
  server: address("10.0.0.11"),
  serverPort: 8080,
  state: "ESTABLISHED",
  expiresSeconds: 899,
};

const OTHER_SERVER = { server: address("10.0.0.12") };
const OTHER_CLIENT = { client: address("203.0.113.250"), clientPort: 65535 };
const IPV6 = {
  client: address("2001:db8:cafe::7"),
  virtual: address("2001:db8::1"),
  server: address("fd00::11"),
};

/** A table with one of everything: eight connections and three templates. */
export const SAMPLE: readonly Connection[] = [
  CONNECTION,
  { ...CONNECTION, ...OTHER_SERVER, clientPort: 40001, state: "SYN_RECV" },
  { ...CONNECTION, clientPort: 0, state: "ASSURED", expiresSeconds: 250 },
  { ...CONNECTION, ...OTHER_CLIENT, state: "TIME_WAIT", expiresSeconds: 42 },
  { ...CONNECTION, ...OTHER_CLIENT, ...OTHER_SERVER, virtualPort: 443 },
  { ...CONNECTION, ...IPV6, expiresSeconds: 6000 },
  {
    ...CONNECTION,
    protocol: "UDP",
    virtualPort: 5060,
    state: "UDP",
    expiresSeconds: 297,
    persistenceEngine: "sip",
    persistenceData: 'a1b2@198.51.100.7\x1b[2J,"x"',
  },
  {
    ...CONNECTION,
    protocol: "SCTP",
    virtualPort: 3868,
    state: "S-ACK-SENT",
    expiresSeconds: 59,
  },
  { ...CONNECTION, protocol: "ESP", clientPort: 500, state: "ERR!" },
  {
    ...CONNECTION,
    protocol: "IP",
    virtual: address("0.0.0.7"),
    clientPort: 0,
    virtualPort: 0,
    serverPort: 0,
    state: "NONE",
    expiresSeconds: 3599,
  },
  {
    ...CONNECTION,
    ...IPV6,
    protocol: "IP",
    virtual: address("0:8::"),
    clientPort: 0,
    virtualPort: 0,
    serverPort: 0,
    state: "ASSURED",
    expiresSeconds: 100,
  },
];

/** Writes a file like /proc/net/ip_vs_conn, and removes it after the test. */
export function fileOf(
  t: TestContext,
  connections: readonly Connection[] = SAMPLE,
): string {
  const folder = mkdtempSync(join(tmpdir(), "ipvsadm-"));
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  const file = join(folder, "ip_vs_conn");
  const lines = [TITLE, ...connections.map(connectionLine)];
  writeFileSync(file, lines.map((line) => `${line}\n`).join(""), "latin1");
  return file;
}
