import assert from "node:assert/strict";
import { test } from "node:test";
import { serverSettings, serviceSettings } from "../../../src/ipvs/defaults.js";
import {
  BACKUP,
  MASTER,
  ONE_PACKET,
  PERSISTENT,
  TUNNELING,
  type Daemon,
  type ServiceKey,
} from "../../../src/ipvs/model.js";
import { INET } from "../../../src/ipvs/address.js";
import { countsText } from "../../../src/cli/changes/difference-counts.js";
import {
  daemonChanges,
  daemonName,
  daemonText,
  serverChanges,
  serverText,
  serviceChanges,
  serviceText,
  timeoutChanges,
} from "../../../src/cli/changes/change-text.js";
import { address } from "../../fixtures/entries.js";

const KEY: ServiceKey = { family: INET, firewallMark: 7 };
const service = (given: Parameters<typeof serviceSettings>[1]) =>
  serviceSettings(KEY, given);

test("serviceText() shows the text of list, and the settings that list omits", () => {
  assert.equal(serviceText(service({})), "wlc");
  const persistent = service({
    flags: PERSISTENT | ONE_PACKET | 0x08,
    timeoutSeconds: 60,
    netmask: address("255.0.0.0"),
    persistenceEngine: "sip",
  });
  assert.equal(
    serviceText(persistent),
    "wlc (flag-1) persistent 60 mask 255.0.0.0 pe sip ops",
  );
  const odd = service({
    scheduler: "sh",
    flags: 0x120,
    persistenceEngine: "sip",
  });
  assert.equal(serviceText(odd), "sh flag-3 pe sip flags 0x100");
  assert.equal(serviceText(service({ scheduler: "a\x1bb" })), "a?b");
});

test("serviceChanges() lists the settings that differ", () => {
  assert.deepEqual(serviceChanges(service({}), service({})), []);
  assert.deepEqual(
    serviceChanges(
      service({ scheduler: "sh", flags: 0x10 }),
      service({
        scheduler: "mh",
        flags: PERSISTENT | 0x10,
        timeoutSeconds: 60,
        persistenceEngine: "sip",
      }),
    ),
    [
      "scheduler sh → mh",
      "scheduler flags sh-port → mh-port",
      "persistence none → 60",
      "persistence engine none → sip",
    ],
  );
  assert.deepEqual(
    serviceChanges(
      service({ flags: ONE_PACKET }),
      service({ flags: 0x80000000 }),
    ),
    ["one-packet scheduling on → off", "other flags none → 0x80000000"],
  );
});

test("serverChanges() lists the settings that differ", () => {
  const gue = { type: 1, port: 6080, flags: 1 };
  const from = serverSettings({ upperThreshold: 10 });
  const to = serverSettings({
    forwarding: TUNNELING,
    tunnel: gue,
    weight: 0,
    upperThreshold: 10,
    lowerThreshold: 5,
  });
  assert.equal(serverText(from), "direct weight 1 limits 10");
  assert.equal(serverText(to), "tunnel gue:6080:+c weight 0 limits 5-10");
  assert.deepEqual(serverChanges(from, to), [
    "method direct → tunnel gue:6080:+c",
    "weight 1 → 0",
    "limits 10 → 5-10",
  ]);
});

test("timeoutChanges() lists the timeouts that differ", () => {
  const from = { tcpSeconds: 900, tcpFinSeconds: 120, udpSeconds: 300 };
  const to = { tcpSeconds: 600, tcpFinSeconds: 120, udpSeconds: 30 };
  assert.deepEqual(timeoutChanges(from, to), [
    "tcp 900s → 600s",
    "udp 300s → 30s",
  ]);
});

test("daemonChanges() fills in the kernel's defaults", () => {
  const runs: Daemon = {
    state: MASTER,
    multicastInterface: "eth0",
    syncId: 1,
    maximumLength: 1472,
    multicastGroup: address("224.0.0.99"),
    multicastPort: 8848,
    multicastTtl: 1,
  };
  assert.equal(daemonName(runs), "master sync daemon");
  assert.equal(
    daemonText(runs),
    "interface eth0 syncid 1 maxlen 1472 group 224.0.0.99 port 8848 ttl 1",
  );
  const wanted = {
    state: MASTER,
    multicastInterface: "eth1",
    syncId: 1,
  } as const;
  assert.equal(daemonText(wanted), "interface eth1 syncid 1");
  assert.deepEqual(daemonChanges(runs, wanted), [
    "interface eth0 → eth1",
    "group 224.0.0.99 → 224.0.0.81",
  ]);
  // The maximum message length of a backup depends on its interface.
  assert.deepEqual(
    daemonChanges({ ...runs, state: BACKUP }, { ...wanted, state: BACKUP }),
    ["interface eth0 → eth1", "group 224.0.0.99 → 224.0.0.81"],
  );
});

test("countsText() writes the counts in one line", () => {
  const none = { services: 0, servers: 0, daemons: 0, timeouts: 0 };
  const words = { add: "added", change: "changed", remove: "removed" };
  assert.equal(
    countsText(
      {
        add: { ...none, services: 1 },
        change: { ...none, services: 2, servers: 1, timeouts: 1 },
        remove: { ...none, servers: 3, daemons: 1 },
      },
      words,
    ),
    "1 service added, 2 services, 1 real server and the timeouts changed, 3 real servers and 1 sync daemon removed",
  );
});
