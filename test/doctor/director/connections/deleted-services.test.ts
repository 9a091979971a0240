import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConnectionGroup } from "../../../../src/doctor/connections.js";
import { deletedServices } from "../../../../src/doctor/director/connections/deleted-services.js";
import { INET } from "../../../../src/ipvs/address.js";
import {
  BACKUP,
  MASTER,
  TCP,
  type ServerEntry,
  type ServiceWithServers,
} from "../../../../src/ipvs/model.js";
import {
  address,
  addressKey,
  serverEntry,
  serviceEntry,
} from "../../../fixtures/entries.js";
import { connectionGroup, connectionTable } from "../../made-up-connections.js";
import { serviceAt, sysctls } from "../../made-up.js";

const SERVER = serverEntry("192.0.2.10", 80);
const OPEN = connectionGroup({ ESTABLISHED: [800, 700] });

/** What is seen of connections of 192.0.2.1:80 that are open. */
function find(
  allServices: readonly ServiceWithServers[],
  groups: readonly ConnectionGroup[] = [OPEN],
  { expire = 0, daemons = [] as (1 | 2)[] } = {},
): string[] {
  const daemon = { multicastInterface: "eth1", syncId: 1 };
  return deletedServices
    .examine({
      allServices,
      connections: connectionTable(groups),
      sysctls: sysctls({ "net.ipv4.vs.expire_nodest_conn": expire }),
      daemons: daemons.map((state) => ({ ...daemon, state })),
    })
    .map(({ subject, seen }) => `${subject ?? ""}: ${seen}`);
}

/** A service that has nothing to do with these connections */
const ELSE = serviceAt("192.0.2.2", [SERVER]);

const marked = (given: Partial<ServerEntry> = {}, text = "192.0.2.10") =>
  serviceEntry({ family: INET, firewallMark: 7 }, {}, [
    { ...serverEntry(text, 80), ...given },
  ]);

test("deletedServices names the service that is gone, and where its connections are", () => {
  const other = connectionGroup(
    { ESTABLISHED: [1] },
    { server: address("192.0.2.11"), serverPort: 8080 },
  );
  const seen =
    "tcp/192.0.2.1:80: 3 open connections are with 192.0.2.10:80, 192.0.2.11:8080, and there is no such service";
  assert.deepEqual(find([ELSE], [OPEN, other]), [seen]);
  assert.deepEqual(find([ELSE], [other, OPEN]), [seen]);
});

test("deletedServices: connections of a service that is there are another matter", () => {
  assert.deepEqual(find([serviceAt("192.0.2.1", [])]), []);
  const any = serviceEntry(addressKey(TCP, "192.0.2.1", 0), {}, [SERVER]);
  assert.deepEqual(find([any]), []);
});

test("deletedServices: connections that begin or end are not reported", () => {
  const ending = connectionGroup({ SYN_RECV: [50], TIME_WAIT: [100] });
  assert.deepEqual(find([ELSE], [ending]), []);
});

test("deletedServices: a service by firewall mark may have them if the kernel counts connections for its server", () => {
  assert.deepEqual(find([marked({ activeConnections: 1 })]), []);
  assert.deepEqual(find([marked({ inactiveConnections: 1 })]), []);
  assert.equal(find([marked()]).length, 1);
  assert.equal(
    find([marked({ activeConnections: 5 }, "192.0.2.11")]).length,
    1,
  );
});

test("deletedServices: without any service of a family IPVS drops no packet of it", () => {
  assert.deepEqual(find([]), []);
  assert.deepEqual(find([serviceAt("2001:db8::2", [])]), []);
});

test("deletedServices: data connections of FTP have ports of their own", () => {
  const ftp = (text: string) =>
    serviceEntry(addressKey(TCP, "192.0.2.1", 21), {}, [serverEntry(text, 21)]);
  const data = { ...OPEN, virtualPort: 40000, serverPort: 40000 };
  assert.deepEqual(find([ftp("192.0.2.10")], [data]), []);
  assert.equal(find([ftp("192.0.2.12")], [data]).length, 1);
});

test("deletedServices: nothing is found if the next packet ends them, or while a backup daemon runs", () => {
  assert.deepEqual(find([ELSE], [OPEN], { expire: 1 }), []);
  assert.deepEqual(find([ELSE], [OPEN], { daemons: [BACKUP] }), []);
  assert.equal(find([ELSE], [OPEN], { daemons: [MASTER] }).length, 1);
});
