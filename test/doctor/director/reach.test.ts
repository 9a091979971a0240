import assert from "node:assert/strict";
import { test } from "node:test";
import { reach, virtualAddresses } from "../../../src/doctor/director/reach.js";
import type { Network, Stations } from "../../../src/doctor/network.js";
import { INET } from "../../../src/ipvs/address.js";
import {
  BACKUP,
  LOCAL_NODE,
  MASTER,
  MASQUERADING,
  type ServerEntry,
} from "../../../src/ipvs/model.js";
import { serverEntry, serviceEntry } from "../../fixtures/entries.js";
import {
  mac,
  neighbor,
  network,
  ownAddress,
  route,
} from "../made-up-network.js";
import { serviceAt, told } from "../made-up.js";

const NOBODY: Stations = { nextHops: new Map(), strangers: [] };
const SERVER = serverEntry("192.0.2.10", 80);
const BESIDE = route("192.0.2.10", "unicast", 1);
const EDIT = "ipvsadm -e -t 192.0.2.1:80 -r 192.0.2.10:80";

function find(
  around: Network,
  server: ServerEntry = SERVER,
  stations: Stations = NOBODY,
): string[][] {
  const table = [serviceAt("192.0.2.1", [server])];
  return reach.examine({ table, network: around, stations }).map(told);
}

function answers(text: string, answer?: Uint8Array): Stations {
  return { nextHops: new Map([[text, answer]]), strangers: [] };
}

test("virtualAddresses: a local address is fine, and a firewall mark has none", () => {
  const table = [
    serviceAt("192.0.2.1"),
    serviceEntry({ family: INET, firewallMark: 7 }),
  ];
  const around = network([route("192.0.2.1", "local", 1)]);
  assert.deepEqual(
    virtualAddresses.examine({ table, daemons: [], network: around }),
    [],
  );
});

test("virtualAddresses: the fix adds a missing address to the interface of the route to it", () => {
  const table = [
    serviceAt("192.0.2.1"),
    serviceAt("2001:db8::1"),
    serviceAt("192.0.2.1"),
  ];
  const around = network(
    [route("192.0.2.1", "unicast", 1)],
    {},
    {
      "2001:db8::1": "no route",
    },
  );
  const found = virtualAddresses.examine({
    table,
    daemons: [],
    network: around,
  });
  assert.deepEqual(found.map(told), [
    ["vip-not-local 192.0.2.1", "ip address add 192.0.2.1/32 dev eth1"],
    [
      "vip-not-local 2001:db8::1",
      "ip address add 2001:db8::1/128 dev INTERFACE",
    ],
  ]);
});

test("reach: a server in the director's network that answers is fine", () => {
  const known = { neighbors: [neighbor(1, "192.0.2.10", 1, "stale")] };
  assert.deepEqual(find(network([BESIDE], known)), []);
  assert.deepEqual(
    find(network([BESIDE]), SERVER, answers("192.0.2.10", mac(1))),
    [],
  );
});

test("reach: a server that does not answer is reported, also if only the kernel knows", () => {
  const silent = [
    "server-silent 192.0.2.10:80 of tcp/192.0.2.1:80",
    `${EDIT} -g -w 0`,
  ];
  assert.deepEqual(find(network([BESIDE]), SERVER, answers("192.0.2.10")), [
    silent,
  ]);
  const failed = [neighbor(1, "192.0.2.10", undefined, "failed")];
  assert.deepEqual(find(network([BESIDE], { neighbors: failed })), [silent]);
  // It has been asked since.
  assert.deepEqual(
    find(
      network([BESIDE], { neighbors: failed }),
      SERVER,
      answers("192.0.2.10", mac(1)),
    ),
    [],
  );
});

test("reach: a server without a route is reported", () => {
  for (const around of [
    network([], {}, { "192.0.2.10": "no route" }),
    network([route("192.0.2.10", "blackhole", 1)]),
  ])
    assert.deepEqual(find(around), [
      [
        "server-unroutable 192.0.2.10:80 of tcp/192.0.2.1:80",
        `${EDIT} -g -w 0`,
      ],
    ]);
});

test("reach: only tunneling and masquerading work through a router", () => {
  const behind = network([route("192.0.2.10", "unicast", 1, "192.0.2.254")]);
  assert.deepEqual(find(behind), [
    ["direct-via-router 192.0.2.10:80 of tcp/192.0.2.1:80"],
  ]);
  const masqueraded = serverEntry("192.0.2.10", 80, {
    forwarding: MASQUERADING,
  });
  assert.deepEqual(find(behind, masqueraded), []);
  const [found] = reach.examine({
    table: [serviceAt("192.0.2.1", [masqueraded])],
    network: behind,
    stations: answers("192.0.2.254"),
  });
  assert.equal(
    found?.seen,
    "the router to it, 192.0.2.254, does not answer on eth1",
  );
});

test("reach: a drained server and the director itself are not checked", () => {
  const nowhere = network([], {}, { "192.0.2.10": "no route" });
  for (const settings of [{ weight: 0 }, { forwarding: LOCAL_NODE }])
    assert.deepEqual(
      find(nowhere, serverEntry("192.0.2.10", 80, settings)),
      [],
    );
  const own = network([route("192.0.2.10", "local", 1)]);
  assert.deepEqual(find(own), []);
});

test("virtualAddresses: a backup need not have them", () => {
  const table = [serviceAt("192.0.2.1")];
  const around = network([route("192.0.2.1", "unicast", 1)]);
  const daemon = { multicastInterface: "eth1", syncId: 1 };
  const find = (...states: (1 | 2)[]) =>
    virtualAddresses.examine({
      table,
      daemons: states.map((state) => ({ ...daemon, state })),
      network: around,
    }).length;
  assert.deepEqual(
    [find(BACKUP), find(MASTER), find(MASTER, BACKUP)],
    [0, 1, 1],
  );
});

test("virtualAddresses: a duplicate is reported, local or not", () => {
  const table = [serviceAt("2001:db8::1")];
  const own = ownAddress(1, "2001:db8::1/128", { duplicate: true });
  const around = network([route("2001:db8::1", "local", 1)], {
    addresses: [own],
  });
  assert.deepEqual(
    virtualAddresses.examine({ table, daemons: [], network: around }).map(told),
    [
      [
        "vip-duplicate 2001:db8::1",
        "the other machine: ip address del 2001:db8::1/128 dev INTERFACE",
        "ip address del 2001:db8::1/128 dev eth1 && ip address add 2001:db8::1/128 dev eth1",
        "the clients and routers of that network: ip neighbor flush to 2001:db8::1",
      ],
    ],
  );
});
