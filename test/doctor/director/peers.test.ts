import assert from "node:assert/strict";
import { test } from "node:test";
import { backups, syncIds } from "../../../src/doctor/director/peers.js";
import { unheardSync } from "../../../src/doctor/director/unheard-sync.js";
import { syncIdsIn } from "../../../src/doctor/read-sync.js";
import {
  BACKUP,
  MASQUERADING,
  MASTER,
  type ServerSettings,
} from "../../../src/ipvs/model.js";
import { serverEntry } from "../../fixtures/entries.js";
import { network, route } from "../made-up-network.js";
import { serviceAt, sysctls, told } from "../made-up.js";

const AROUND = network([
  route("192.0.2.10", "local", 1),
  route("192.0.2.11", "unicast", 1),
]);

function find(
  states: readonly (1 | 2)[],
  value = 0,
  other: Partial<ServerSettings> = {},
): string[][] {
  const servers = [
    serverEntry("192.0.2.10", 80),
    serverEntry("192.0.2.11", 80, other),
  ];
  return backups
    .examine({
      table: [serviceAt("192.0.2.1", servers)],
      daemons: states.map((state) => ({
        state,
        multicastInterface: "eth1",
        syncId: 1,
      })),
      network: AROUND,
      sysctls: sysctls({ "net.ipv4.vs.backup_only": value }),
    })
    .map(told);
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

test("syncIds: a backup accepts its own sync id, or all with 0", () => {
  const heard = (syncId: number, ...ids: number[]) =>
    syncIds.examine({
      daemons: [],
      network: AROUND,
      heard: [
        {
          daemon: {
            state: BACKUP,
            multicastInterface: "eth1",
            syncId,
            multicastPort: 8848,
          },
          syncIds: ids,
        },
      ],
    });
  const hears = (...ids: [number, ...number[]]) => heard(...ids).map(told);
  assert.deepEqual(hears(1), []);
  assert.deepEqual(hears(1, 1, 2), []);
  assert.deepEqual(hears(0, 2), []);
  // A restart is described, and not offered as a command.
  assert.deepEqual(hears(1, 2), [["sync-ids-differ eth1"]]);
  const [finding] = heard(1, 2);
  assert.match(
    finding?.evidence?.join() ?? "",
    /"ipvsadm --stop-daemon backup && ipvsadm --start-daemon backup --mcast-interface eth1 --syncid 2 --mcast-port 8848"/,
  );
  assert.deepEqual(finding?.next, [
    { command: "ipvsadm -L --daemon", on: "the director with the master" },
  ]);
});

test("unheardSync() names the daemons that no message tells about, and the command that compares them", () => {
  const daemon = (state: 1 | 2, syncId: number) => ({
    state,
    multicastInterface: "eth1",
    syncId,
  });
  const backup = daemon(BACKUP, 15);
  assert.deepEqual(unheardSync([backup], [{ daemon: backup, syncIds: [] }]), [
    "whether the master's messages have sync id 15 of the backup here (eth1): none arrived in 1.5 s; compare sync id, group and port in 'ipvsadm -L --daemon' on both directors",
  ]);
  assert.deepEqual(
    unheardSync([backup], [{ daemon: backup, syncIds: [51] }]),
    [],
  );
  const any = daemon(BACKUP, 0);
  assert.deepEqual(unheardSync([any], [{ daemon: any, syncIds: [] }]), []);
  assert.deepEqual(unheardSync([daemon(MASTER, 51)], []), [
    "whether a backup accepts the messages of the master here, which have sync id 51 (eth1): compare sync id, group and port in 'ipvsadm -L --daemon' on both directors",
  ]);
  // Each of them belongs to a daemon on the other director.
  const both = [daemon(MASTER, 1), backup];
  assert.equal(unheardSync(both, [{ daemon: backup, syncIds: [] }]).length, 2);
  assert.deepEqual(unheardSync([], []), []);
});

test("syncIdsIn() takes the second byte of each message", () => {
  const message = (...bytes: number[]) => Uint8Array.from(bytes);
  assert.deepEqual(
    syncIdsIn([message(0, 7, 0, 8), message(), message(3, 2), message(0, 7)]),
    [2, 7],
  );
});
