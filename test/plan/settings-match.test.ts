import assert from "node:assert/strict";
import { test } from "node:test";
import {
  keepsDaemon,
  keepsServer,
  keepsService,
  keptDaemon,
} from "../../src/plan/settings-match.js";
import {
  BACKUP,
  HASHED,
  LOCAL_NODE,
  MASQUERADING,
  MASTER,
  ONE_PACKET,
  PERSISTENT,
  TUNNELING,
  type Daemon,
  type ServerSettings,
  type ServiceSettings,
} from "../../src/ipvs/model.js";
import { serverSettings } from "../../src/ipvs/defaults.js";
import { address } from "../fixtures/entries.js";

const SERVICE: ServiceSettings = {
  scheduler: "wlc",
  flags: PERSISTENT | HASHED,
  timeoutSeconds: 300,
  netmask: address("255.255.255.255"),
};

/** Whether a service needs an edit to be that service but for some settings. */
function edits(
  given: Partial<ServiceSettings>,
  from: Partial<ServiceSettings> = {},
): boolean {
  return !keepsService({ ...SERVICE, ...from }, { ...SERVICE, ...given });
}

test("every setting of a service counts", () => {
  assert.ok(!edits({}));
  assert.ok(edits({ scheduler: "rr" }));
  assert.ok(edits({ flags: SERVICE.flags | ONE_PACKET }));
  assert.ok(edits({ timeoutSeconds: 301 }));
  assert.ok(edits({ netmask: address("255.255.255.0") }));
  assert.ok(edits({ netmask: 128 }));
  assert.ok(edits({ persistenceEngine: "sip" }));
  assert.ok(edits({}, { persistenceEngine: "sip" }));
});

test("the kernel's own flag does not count, nor timeout and netmask without persistence", () => {
  assert.ok(!edits({ flags: PERSISTENT }));
  const without = { flags: 0 };
  assert.ok(!edits({ ...without, timeoutSeconds: 7, netmask: 64 }, without));
  assert.ok(edits(without));
});

function editsServer(
  given: Partial<ServerSettings>,
  from: Partial<ServerSettings> = {},
): boolean {
  return !keepsServer(serverSettings(from), serverSettings(given));
}

test("every setting of a real server counts", () => {
  assert.ok(!editsServer({}));
  assert.ok(editsServer({ forwarding: MASQUERADING }));
  assert.ok(editsServer({ weight: 2 }));
  assert.ok(editsServer({ upperThreshold: 2 }));
  assert.ok(editsServer({ lowerThreshold: 2 }));
});

test("a tunnel counts with tunneling, as far as its type has the settings", () => {
  const tunnel = { type: 0, port: 0, flags: 0 };
  assert.ok(!editsServer({ tunnel: { ...tunnel, type: 1 } }));
  const through = (type: number, port: number, flags: number) => ({
    forwarding: TUNNELING,
    tunnel: { type, port, flags },
  });
  assert.ok(!editsServer(through(0, 7, 1), through(0, 0, 0)));
  assert.ok(editsServer(through(1, 0, 0), through(0, 0, 0)));
  assert.ok(editsServer(through(1, 7, 0), through(1, 8, 0)));
  assert.ok(editsServer(through(1, 7, 0), through(1, 7, 1)));
  assert.ok(!editsServer(through(2, 7, 0), through(2, 8, 0)));
  assert.ok(editsServer(through(2, 7, 0), through(2, 7, 1)));
  assert.ok(editsServer(through(9, 7, 0), through(9, 8, 0)));
});

test("a server that the kernel found on the director may have been told any forwarding method", () => {
  assert.ok(!editsServer({}, { forwarding: LOCAL_NODE }));
  assert.ok(editsServer({ forwarding: LOCAL_NODE }));
});

const DAEMON: Daemon = { state: MASTER, multicastInterface: "eth0", syncId: 1 };
const KEPT: Daemon = {
  ...DAEMON,
  maximumLength: 1472,
  multicastGroup: address("224.0.0.81"),
  multicastPort: 8848,
  multicastTtl: 1,
};

test("what is not said of a sync daemon is the kernel's default", () => {
  assert.deepEqual(keptDaemon(DAEMON), KEPT);
  const zeros = { maximumLength: 0, multicastPort: 0, multicastTtl: 0 };
  assert.deepEqual(keptDaemon({ ...DAEMON, ...zeros }), KEPT);
  const six = { multicastGroup: address("ff02::81") };
  assert.equal(keptDaemon({ ...DAEMON, ...six }).maximumLength, 1452);
  assert.equal(
    keptDaemon({ ...DAEMON, state: BACKUP }).maximumLength,
    undefined,
  );
});

test("the longest message is kept within what there can be", () => {
  const length = (state: Daemon["state"], maximumLength: number) =>
    keptDaemon({ ...DAEMON, state, maximumLength }).maximumLength;
  assert.equal(length(MASTER, 65535), 65507);
  assert.equal(length(MASTER, 1), 1);
  assert.equal(length(BACKUP, 1), 1024);
});

test("a sync daemon that differs in anything is another", () => {
  assert.ok(keepsDaemon(KEPT, DAEMON));
  assert.ok(keepsDaemon(KEPT, KEPT));
  const others: Partial<Daemon>[] = [
    { state: BACKUP },
    { multicastInterface: "eth1" },
    { syncId: 2 },
    { maximumLength: 1400 },
    { multicastGroup: address("224.0.0.82") },
    { multicastPort: 8849 },
    { multicastTtl: 2 },
  ];
  for (const other of others) {
    assert.ok(!keepsDaemon(KEPT, { ...DAEMON, ...other }));
    if (!("state" in other))
      assert.ok(!keepsDaemon({ ...KEPT, ...other }, DAEMON));
  }
});

test("what a kernel does not tell of a sync daemon is not compared", () => {
  assert.ok(keepsDaemon(DAEMON, KEPT));
});
