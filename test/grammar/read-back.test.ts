import assert from "node:assert/strict";
import { test } from "node:test";
import { changeLine } from "../../src/grammar/format-rule.js";
import { readBack } from "../../src/grammar/read-back.js";
import { INET, INET6 } from "../../src/ipvs/address.js";
import type { Change } from "../../src/ipvs/client.js";
import { serverSettings, serviceSettings } from "../../src/ipvs/defaults.js";
import {
  BACKUP,
  MASQUERADING,
  MASTER,
  ONE_PACKET,
  PERSISTENT,
  TCP,
  UDP,
  type ServiceKey,
} from "../../src/ipvs/model.js";
import { address } from "../fixtures/entries.js";

const WEB: ServiceKey = {
  family: INET,
  protocol: TCP,
  address: address("192.0.2.1"),
  port: 80,
};
const DNS: ServiceKey = { ...WEB, protocol: UDP, port: 53 };
const MARK: ServiceKey = { family: INET6, firewallMark: 4294967295 };
const SERVER = { address: address("10.0.0.1"), port: 8080 };

const add = (
  service: ServiceKey,
  given: Parameters<typeof serviceSettings>[1],
): Change => ({
  command: "add-service",
  service,
  settings: serviceSettings(service, given),
});

/** Every kind of change, with its line. */
const LINES: readonly (readonly [Change, string])[] = [
  [add(MARK, {}), "-A -f 4294967295 -6 -s wlc"],
  [add(DNS, { flags: ONE_PACKET }), "-A -u 192.0.2.1:53 -s wlc -o"],
  [
    add(WEB, { scheduler: "sh", flags: 0x38 }),
    "-A -t 192.0.2.1:80 -s sh -b sh-fallback,sh-port,flag-3",
  ],
  [
    {
      command: "edit-service",
      service: WEB,
      settings: serviceSettings(WEB, {
        flags: PERSISTENT,
        timeoutSeconds: 60,
        netmask: address("255.255.0.0"),
        persistenceEngine: "sip",
      }),
    },
    "-E -t 192.0.2.1:80 -s wlc -p 60 -M 255.255.0.0 --pe sip",
  ],
  [{ command: "delete-service", service: WEB }, "-D -t 192.0.2.1:80"],
  [
    {
      command: "add-server",
      service: WEB,
      server: SERVER,
      settings: serverSettings({
        forwarding: MASQUERADING,
        upperThreshold: 9,
        lowerThreshold: 8,
      }),
    },
    "-a -t 192.0.2.1:80 -r 10.0.0.1:8080 -m -w 1 -x 9 -y 8",
  ],
  [
    {
      command: "edit-server",
      service: MARK,
      server: { address: address("2001:db8::1"), port: 0 },
      settings: serverSettings({ weight: 0 }),
    },
    "-e -f 4294967295 -6 -r [2001:db8::1]:0 -g -w 0",
  ],
  [
    { command: "delete-server", service: WEB, server: SERVER },
    "-d -t 192.0.2.1:80 -r 10.0.0.1:8080",
  ],
  [{ command: "flush" }, "-C"],
  [{ command: "zero" }, "-Z"],
  [{ command: "zero", service: WEB }, "-Z -t 192.0.2.1:80"],
  [
    {
      command: "set",
      timeouts: { tcpSeconds: 1, tcpFinSeconds: 0, udpSeconds: 3 },
    },
    "--set 1 0 3",
  ],
  [
    {
      command: "start-daemon",
      daemon: {
        state: MASTER,
        multicastInterface: "eth0",
        syncId: 7,
        maximumLength: 1400,
        multicastGroup: address("224.0.0.99"),
        multicastPort: 8849,
        multicastTtl: 2,
      },
    },
    "--start-daemon master --mcast-interface eth0 --syncid 7 --sync-maxlen 1400 --mcast-group 224.0.0.99 --mcast-port 8849 --mcast-ttl 2",
  ],
  [
    {
      command: "start-daemon",
      daemon: { state: BACKUP, multicastInterface: "eth1", syncId: 0 },
    },
    "--start-daemon backup --mcast-interface eth1 --syncid 0",
  ],
];

for (const [change, line] of LINES)
  test(`readBack() finds the same change in ${line}`, () => {
    assert.equal(changeLine(change), line);
    assert.deepEqual(readBack(line, change), { kind: "same" });
  });

test("readBack() compares only the role when a daemon is stopped", () => {
  const daemon = {
    state: BACKUP,
    multicastInterface: "eth1",
    syncId: 5,
  } as const;
  const line = changeLine({ command: "stop-daemon", daemon });
  assert.equal(line, "--stop-daemon backup");
});

test("readBack() finds what a line cannot express", () => {
  const engine = add(WEB, { persistenceEngine: "two words" });
  const line = changeLine(engine);
  assert.deepEqual(readBack(line, engine), {
    kind: "fault",
    sentence: "unexpected argument words",
  });
  const unknown = add(WEB, { flags: 0x100 });
  const reading = readBack(changeLine(unknown), unknown);
  assert.deepEqual(reading, { kind: "other", change: add(WEB, {}) });
  const forever = add(MARK, { flags: PERSISTENT });
  assert.equal(readBack(changeLine(forever), forever).kind, "fault");
});
