import assert from "node:assert/strict";
import { test } from "node:test";
import { unanswered } from "../../../../src/doctor/director/connections/unanswered.js";
import { unseenRequests } from "../../../../src/doctor/director/client/unseen-requests.js";
import type {
  ClientSightings,
  TraceFacts,
} from "../../../../src/doctor/director/client/trace-step.js";
import {
  BACKUP,
  MASQUERADING,
  type Daemon,
  type ServiceWithServers,
} from "../../../../src/ipvs/model.js";
import { address, serverEntry, stats } from "../../../fixtures/entries.js";
import { connectionGroup, connectionTable } from "../../made-up-connections.js";
import {
  device,
  mac,
  network,
  ownAddress,
  route,
} from "../../made-up-network.js";
import { serviceAt, sysctls } from "../../made-up.js";

const client = address("198.51.100.7");
const SERVERS = [
  serverEntry("192.0.2.10", 80),
  serverEntry("192.0.2.11", 80, { forwarding: MASQUERADING }),
];
const SERVICE = serviceAt("192.0.2.1", SERVERS);
const source = address("192.0.2.2");
const NETWORK = network(
  [
    route("192.0.2.1", "local", 1),
    route("192.0.2.10", "unicast", 1, undefined, { source }),
    route("192.0.2.11", "unicast", 1, undefined, { source }),
    route("198.51.100.7", "unicast", 1, "192.0.2.254"),
  ],
  {
    devices: [device(1)],
    addresses: [ownAddress(1, "192.0.2.2/24"), ownAddress(1, "192.0.2.1/32")],
  },
);

function factsWith(change: Partial<TraceFacts>): TraceFacts {
  const table = [SERVICE];
  return {
    table,
    allServices: table,
    network: NETWORK,
    connections: connectionTable([]),
    sysctls: sysctls({}),
    firewall: { tables: [], unread: [] },
    daemons: [],
    ...change,
  };
}

function sightings(change: Partial<ClientSightings> = {}): ClientSightings {
  return {
    client,
    seconds: 5,
    connections: [],
    after: [SERVICE],
    heard: [],
    ...change,
  };
}

function found(
  change: Partial<TraceFacts> = {},
  sighting: Partial<ClientSightings> = {},
): string[] {
  return unseenRequests(factsWith(change), sightings(sighting)).map(
    ({ command, on }) => `${on ?? "here"}: ${command}`,
  );
}

test("unseenRequests: routers must know the director, and a real server with direct routing perhaps announces the address", () => {
  assert.deepEqual(found(), [
    "the client and its routers, in the network of this director: ip neighbor show to 192.0.2.1",
    "here: arping -U -c 3 -I eth1 192.0.2.1",
    "real server 192.0.2.10: ipvsadm doctor --real-server tcp/192.0.2.1:80 --method direct --director 192.0.2.2 --client 198.51.100.7",
  ]);
});

test("unseenRequests: no router asks for a virtual address that is in no network of the interface", () => {
  const addresses = [
    ownAddress(1, "203.0.113.2/24"),
    ownAddress(1, "192.0.2.1/32"),
  ];
  assert.deepEqual(
    found({ network: { ...NETWORK, addresses } }).map((one) =>
      one.replace(/: .*/, ""),
    ),
    ["real server 192.0.2.10"],
  );
});

test("unseenRequests: routers must know the virtual hardware address if VRRP has made one", () => {
  const vrrp = { ...device(2), name: "vrrp.51", lower: 1 };
  const effectWith = (place: number) => {
    const addresses = [
      ownAddress(1, "192.0.2.2/24"),
      ownAddress(place, "192.0.2.1/32"),
    ];
    const [first] = unseenRequests(
      factsWith({
        network: { ...NETWORK, devices: [device(1), vrrp], addresses },
      }),
      sightings(),
    );
    return first?.effect ?? "";
  };
  assert.match(effectWith(2), /the hardware address of vrrp\.51 here/);
  assert.match(effectWith(1), /the hardware address of eth1 here/);
});

test("unseenRequests says nothing if packets of others come, on a backup, and for another family", () => {
  const moved: ServiceWithServers = {
    ...SERVICE,
    stats: stats({ inPackets: 5n }),
  };
  assert.deepEqual(found({}, { after: [moved] }), []);
  const daemon = { state: BACKUP } as Daemon;
  assert.deepEqual(found({ daemons: [daemon] }), []);
  assert.deepEqual(found({}, { client: address("2001:db8::7") }), []);
});

test("unanswered names another server with the same hardware address", () => {
  const table = [serviceAt("192.0.2.1", SERVERS)];
  const evidence = (last: number) =>
    unanswered.examine({
      table,
      allServices: table,
      network: NETWORK,
      stations: {
        nextHops: new Map([
          ["192.0.2.10", mac(10)],
          ["192.0.2.11", mac(last)],
        ]),
        strangers: [],
      },
      connections: connectionTable([
        connectionGroup({ SYN_RECV: [58, 40, 3] }),
      ]),
      timeouts: { tcpSeconds: 900, tcpFinSeconds: 120, udpSeconds: 300 },
      sysctls: sysctls({ "net.ipv4.vs.conntrack": 0 }),
      firewall: { tables: [], unread: [] },
    })[0]?.evidence;
  assert.match(
    evidence(10)?.join() ?? "",
    /^192\.0\.2\.10 and 192\.0\.2\.11 have the same hardware address, 02:00:00:00:01:0a: /,
  );
  assert.deepEqual(evidence(11), []);
});
