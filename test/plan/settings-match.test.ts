import assert from "node:assert/strict";
import { test } from "node:test";
import {
  daemonMatches,
  serverMatches,
  serviceMatches,
  effectiveDaemon,
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

/** Whether SERVICE with settings `from` needs an edit to get the settings `given`. */
function needsEdit(
  given: Partial<ServiceSettings>,
  from: Partial<ServiceSettings> = {},
): boolean {
  return !serviceMatches({ ...SERVICE, ...from }, { ...SERVICE, ...given });
}

test("serviceMatches() compares every setting", () => {
  assert.ok(!needsEdit({}));
  assert.ok(needsEdit({ scheduler: "rr" }));
  assert.ok(needsEdit({ flags: SERVICE.flags | ONE_PACKET }));
  assert.ok(needsEdit({ timeoutSeconds: 301 }));
  assert.ok(needsEdit({ netmask: address("255.255.255.0") }));
  assert.ok(needsEdit({ netmask: 128 }));
  assert.ok(needsEdit({ persistenceEngine: "sip" }));
  assert.ok(needsEdit({}, { persistenceEngine: "sip" }));
});

test("serviceMatches() ignores the kernel's own flag, and timeout and netmask without persistence", () => {
  assert.ok(!needsEdit({ flags: PERSISTENT }));
  const without = { flags: 0 };
  assert.ok(
    !needsEdit({ ...without, timeoutSeconds: 7, netmask: 64 }, without),
  );
  assert.ok(needsEdit(without));
});

function serverNeedsEdit(
  given: Partial<ServerSettings>,
  from: Partial<ServerSettings> = {},
): boolean {
  return !serverMatches(serverSettings(from), serverSettings(given));
}

test("serverMatches() compares every setting", () => {
  assert.ok(!serverNeedsEdit({}));
  assert.ok(serverNeedsEdit({ forwarding: MASQUERADING }));
  assert.ok(serverNeedsEdit({ weight: 2 }));
  assert.ok(serverNeedsEdit({ upperThreshold: 2 }));
  assert.ok(serverNeedsEdit({ lowerThreshold: 2 }));
});

test("serverMatches() compares the tunnel only with tunneling, and only the settings of its type", () => {
  const tunnel = { type: 0, port: 0, flags: 0 };
  assert.ok(!serverNeedsEdit({ tunnel: { ...tunnel, type: 1 } }));
  const through = (type: number, port: number, flags: number) => ({
    forwarding: TUNNELING,
    tunnel: { type, port, flags },
  });
  assert.ok(!serverNeedsEdit(through(0, 7, 1), through(0, 0, 0)));
  assert.ok(serverNeedsEdit(through(1, 0, 0), through(0, 0, 0)));
  assert.ok(serverNeedsEdit(through(1, 7, 0), through(1, 8, 0)));
  assert.ok(serverNeedsEdit(through(1, 7, 0), through(1, 7, 1)));
  assert.ok(!serverNeedsEdit(through(2, 7, 0), through(2, 8, 0)));
  assert.ok(serverNeedsEdit(through(2, 7, 0), through(2, 7, 1)));
  assert.ok(serverNeedsEdit(through(9, 7, 0), through(9, 8, 0)));
});

test("serverMatches() accepts any forwarding method if the kernel reports LOCAL_NODE", () => {
  assert.ok(!serverNeedsEdit({}, { forwarding: LOCAL_NODE }));
  assert.ok(serverNeedsEdit({ forwarding: LOCAL_NODE }));
});

const DAEMON: Daemon = { state: MASTER, multicastInterface: "eth0", syncId: 1 };
const EFFECTIVE: Daemon = {
  ...DAEMON,
  maximumLength: 1472,
  multicastGroup: address("224.0.0.81"),
  multicastPort: 8848,
  multicastTtl: 1,
};

test("effectiveDaemon() fills in the kernel's defaults", () => {
  assert.deepEqual(effectiveDaemon(DAEMON), EFFECTIVE);
  const zeros = { maximumLength: 0, multicastPort: 0, multicastTtl: 0 };
  assert.deepEqual(effectiveDaemon({ ...DAEMON, ...zeros }), EFFECTIVE);
  const six = { multicastGroup: address("ff02::81") };
  assert.equal(effectiveDaemon({ ...DAEMON, ...six }).maximumLength, 1452);
  assert.equal(
    effectiveDaemon({ ...DAEMON, state: BACKUP }).maximumLength,
    undefined,
  );
});

test("effectiveDaemon() limits the maximum message length", () => {
  const length = (state: Daemon["state"], maximumLength: number) =>
    effectiveDaemon({ ...DAEMON, state, maximumLength }).maximumLength;
  assert.equal(length(MASTER, 65535), 65507);
  assert.equal(length(MASTER, 1), 1);
  assert.equal(length(BACKUP, 1), 1024);
});

test("daemonMatches() compares every setting", () => {
  assert.ok(daemonMatches(EFFECTIVE, DAEMON));
  assert.ok(daemonMatches(EFFECTIVE, EFFECTIVE));
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
    assert.ok(!daemonMatches(EFFECTIVE, { ...DAEMON, ...other }));
    if (!("state" in other))
      assert.ok(!daemonMatches({ ...EFFECTIVE, ...other }, DAEMON));
  }
});

test("daemonMatches() ignores what the kernel does not report", () => {
  assert.ok(daemonMatches(DAEMON, EFFECTIVE));
});
