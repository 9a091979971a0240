import assert from "node:assert/strict";
import { test } from "node:test";
import { ownTable } from "../../../src/doctor/real-server/own-table.js";
import type { RealServer } from "../../../src/doctor/real-server/real-server.js";
import {
  BACKUP,
  LOCAL_NODE,
  MASQUERADING,
  MASTER,
  TCP,
  type ServerEntry,
} from "../../../src/ipvs/model.js";
import { address, serverEntry, stats } from "../../fixtures/entries.js";
import { serviceAt, sysctls, told } from "../made-up.js";
import { LAN, owned, realServer, VIP } from "./made-up.js";

const OWN = "192.0.2.11";
const OTHER = "192.0.2.12";

function find({
  servers = [serverEntry(OWN, 80), serverEntry(OTHER, 80)],
  states = [BACKUP],
  backupOnly = 0,
  virtual = VIP,
  ...circumstances
}: Partial<RealServer> & {
  servers?: readonly ServerEntry[];
  states?: readonly (typeof BACKUP | typeof MASTER)[];
  backupOnly?: number;
  virtual?: string;
} = {}) {
  const service = serviceAt(virtual, servers);
  return ownTable.examine({
    realServer: realServer({
      method: "direct",
      director: address(OTHER),
      addresses: [owned(LAN, `${OWN}/24`)],
      ...circumstances,
    }),
    table: [{ ...service, stats: stats({ connections: 2n, inPackets: 9n }) }],
    daemons: states.map((state) => ({
      state,
      multicastInterface: "lan",
      syncId: 1,
    })),
    sysctls: sysctls({ "net.ipv4.vs.backup_only": backupOnly }),
  });
}

test("ownTable: a backup whose table has the service balances the director's packets again", () => {
  const found = find();
  assert.deepEqual(found.map(told), [
    [`own-table-balances ${VIP}`, "sysctl -w net.ipv4.vs.backup_only=1"],
  ]);
  assert.equal(
    found[0]?.seen,
    `the IPVS table of this machine has tcp/${VIP}:80 as well, so it balances packets of the director again, also to ${OTHER}:80`,
  );
  assert.deepEqual(found[0].evidence, [
    `tcp/${VIP}:80 has counted 2 connections and 9 packets here since it was added`,
  ]);
});

test("ownTable: without a backup daemon there is no command, and without the director it is only likely", () => {
  const [alone] = find({ states: [], backupOnly: 1 });
  assert.deepEqual(alone?.fix, []);
  assert.equal(alone.certainty, undefined);
  assert.match(alone.cure ?? "", /^If it stands by for another director: /);
  const [unknown] = find({ states: [MASTER], director: undefined });
  assert.equal(unknown?.certainty, "likely");
  assert.match(unknown.cure ?? "", /^If this machine is the active director, /);
});

test("ownTable: a master daemon beside the backup gets no command that turns an active director off", () => {
  const states = [MASTER, BACKUP] as const;
  const [real] = find({ states });
  assert.deepEqual(real?.fix, []);
  assert.equal(real.certainty, undefined);
  assert.match(
    real.cure ?? "",
    /^A master daemon runs here beside the backup\. If both directors are active, do not set net\.ipv4\.vs\.backup_only: /,
  );
  const [unknown] = find({ states, director: undefined });
  assert.deepEqual(unknown?.fix, []);
  assert.equal(unknown.certainty, "likely");
  assert.match(unknown.cure ?? "", /^If this machine is the active director, /);
  assert.deepEqual(find({ states, backupOnly: 1 }), []);
});

test("ownTable: masqueraded servers of its own table get nothing that is balanced again", () => {
  const masqueraded = serverEntry("10.1.0.5", 8080, {
    forwarding: MASQUERADING,
  });
  assert.deepEqual(find({ servers: [masqueraded], states: [] }), []);
  const servers = [masqueraded, serverEntry(OTHER, 80)];
  assert.match(find({ servers })[0]?.seen ?? "", /also to 192\.0\.2\.12:80$/);
});

test("ownTable: tables that do not take the director's packets are not reported", () => {
  assert.deepEqual(find({ backupOnly: 1 }), []);
  assert.deepEqual(find({ virtual: "192.0.2.101" }), [], "another service");
  assert.deepEqual(find({ servers: [serverEntry(OWN, 80)] }), [], "itself");
  assert.deepEqual(
    find({ servers: [serverEntry(OTHER, 80, { weight: 0 })] }),
    [],
    "drained",
  );
  assert.deepEqual(
    find({ servers: [serverEntry(OTHER, 80, { forwarding: LOCAL_NODE })] }),
    [],
    "local",
  );
  assert.deepEqual(find({ director: address(OWN) }), [], "it is the director");
  assert.deepEqual(find({ method: "masq" }), []);
  assert.deepEqual(
    find({ services: [{ address: address(VIP), protocol: TCP, port: 443 }] }),
    [],
    "another port",
  );
});

test("ownTable: a table that could not be read does not count as examined", () => {
  const facts = { realServer: realServer({}), sysctls: new Map() };
  assert.deepEqual(ownTable.examine(facts), []);
  assert.equal(ownTable.rulesOut(facts), false);
  assert.equal(ownTable.rulesOut({ ...facts, table: [] }), true);
});
