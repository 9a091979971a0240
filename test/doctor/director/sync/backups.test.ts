import assert from "node:assert/strict";
import { test } from "node:test";
import { backups } from "../../../../src/doctor/director/sync/backups.js";
import {
  BACKUP,
  MASQUERADING,
  MASTER,
  type ServerSettings,
} from "../../../../src/ipvs/model.js";
import { serverEntry } from "../../../fixtures/entries.js";
import type { ConnectionGroup } from "../../../../src/doctor/connections.js";
import { connectionGroup, connectionTable } from "../../made-up-connections.js";
import { network, route } from "../../made-up-network.js";
import { serviceAt, sysctls, told } from "../../made-up.js";

const AROUND = network([
  route("192.0.2.10", "local", 1),
  route("192.0.2.11", "unicast", 1),
]);

function examined(
  states: readonly (1 | 2)[],
  value = 0,
  other: Partial<ServerSettings> = {},
  groups: readonly ConnectionGroup[] = [],
) {
  const servers = [
    serverEntry("192.0.2.10", 80),
    serverEntry("192.0.2.11", 80, other),
  ];
  const table = [serviceAt("192.0.2.1", servers)];
  return backups.examine({
    table,
    allServices: table,
    connections: connectionTable(groups),
    daemons: states.map((state) => ({
      state,
      multicastInterface: "eth1",
      syncId: 1,
    })),
    network: AROUND,
    sysctls: sysctls({ "net.ipv4.vs.backup_only": value }),
  });
}

function find(...circumstances: Parameters<typeof examined>): string[][] {
  return examined(...circumstances).map(told);
}

test("backups: a backup that is one of several real servers must not balance", () => {
  assert.deepEqual(find([BACKUP]), [
    ["backup-balances tcp/192.0.2.1:80", "sysctl -w net.ipv4.vs.backup_only=1"],
  ]);
});

test("backups: backup_only, a master and masquerading cannot loop", () => {
  assert.deepEqual(find([BACKUP], 1), []);
  assert.deepEqual(find([]), []);
  assert.deepEqual(find([MASTER, BACKUP]), []);
  assert.deepEqual(find([BACKUP], 0, { forwarding: MASQUERADING }), []);
});

test("backups: connections in SYN_RECV show that a backup balances, those of the master do not", () => {
  const find1 = (states: Readonly<Record<string, readonly number[]>>) =>
    find([BACKUP], 0, {}, [connectionGroup(states)])[0]?.[0];
  assert.equal(
    find1({ SYN_RECV: [58], ESTABLISHED: [800] }),
    "balances-again tcp/192.0.2.1:80",
  );
  assert.equal(
    find1({ ESTABLISHED: [800] }),
    "backup-balances tcp/192.0.2.1:80",
  );
});

test("backups: connections in SYN_RECV can be of the time when this machine was active, so it is likely", () => {
  const groups = [connectionGroup({ SYN_RECV: [58] })];
  const [again] = examined([BACKUP], 0, {}, groups);
  assert.equal(again?.certainty, "likely");
  assert.deepEqual(again.evidence, [
    "if this machine was active within the last minute, these connections can be of that time",
  ]);
  assert.equal(examined([BACKUP])[0]?.certainty, undefined);
});
