import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { refusals } from "../../../../src/doctor/director/servers/refusals.js";
import { examineThere } from "../../../../src/doctor/director/nat/examine-there.js";
import {
  reach,
  virtualAddresses,
} from "../../../../src/doctor/director/reach/reach.js";
import { collidingAddresses } from "../../../../src/doctor/director/reach/vip-of-server.js";
import { localServers } from "../../../../src/doctor/director/table/local-servers.js";
import { strangers } from "../../../../src/doctor/director/ways/arp-conflicts.js";
import type { Known } from "../../../../src/doctor/check.js";
import type { Facts } from "../../../../src/doctor/facts.js";
import type { Network } from "../../../../src/doctor/network.js";
import { BACKUP, MASQUERADING, TCP } from "../../../../src/ipvs/model.js";
import {
  address,
  addressKey,
  serverEntry,
  serviceEntry,
} from "../../../fixtures/entries.js";
import {
  device,
  mac,
  neighbor,
  network,
  ownAddress,
  route,
} from "../../made-up-network.js";
import { serviceAt, sysctls, told } from "../../made-up.js";

/* 10.0.0.12 is a real server of the web service, and the virtual address of the dashboard, which kube-ipvs0 has. */
const real2 = serverEntry("10.0.0.12", 80, { forwarding: MASQUERADING });
const WEB = serviceAt("192.0.2.1", [
  serverEntry("10.0.0.11", 80, { forwarding: MASQUERADING }),
  real2,
]);
const DASHBOARD = serviceEntry(addressKey(TCP, "10.0.0.12", 8443), {}, [
  serverEntry("10.0.0.11", 8443, { forwarding: MASQUERADING }),
]);
const DEVICES = [
  device(1),
  device(2),
  device(3, { name: "kube-ipvs0", kind: "dummy" }),
];
const ADDRESSES = [
  ownAddress(1, "192.0.2.2/24"),
  ownAddress(2, "10.0.0.1/24"),
  ownAddress(3, "192.0.2.1/32"),
];
const BESIDE = [
  route("192.0.2.1", "local", 3),
  route("10.0.0.11", "unicast", 2),
];
const LOCAL = network(
  [
    ...BESIDE,
    { ...route("10.0.0.12", "local", 3), source: address("10.0.0.12") },
  ],
  {
    devices: DEVICES,
    addresses: [...ADDRESSES, ownAddress(3, "10.0.0.12/32")],
  },
);
const ELSEWHERE = network([...BESIDE, route("10.0.0.12", "unicast", 2)], {
  devices: DEVICES,
  addresses: ADDRESSES,
});
const ANSWER = {
  address: address("10.0.0.12"),
  device: 2,
  hardwareAddress: mac(12),
};

type Given = Known<
  | "table"
  | "allServices"
  | "daemons"
  | "network"
  | "stations"
  | "listeners"
  | "probes"
  | "sysctls"
>;

function facts(around: Network, given: Partial<Facts> = {}) {
  const table = [WEB, DASHBOARD];
  return {
    table,
    allServices: table,
    daemons: [],
    network: around,
    stations:
      around === LOCAL
        ? { nextHops: new Map([["10.0.0.11", mac(11)]]), strangers: [ANSWER] }
        : { nextHops: new Map([["10.0.0.12", mac(12)]]), strangers: [] },
    listeners: [],
    probes: [{ service: WEB, server: real2, result: "refused" }],
    sysctls: sysctls({}),
    ...given,
  } as Given & Facts;
}

/** What all findings about the address say. */
function find(around: Network, given?: Partial<Facts>): string[][] {
  const all = facts(around, given);
  return [
    collidingAddresses,
    virtualAddresses,
    strangers,
    localServers,
    refusals,
    reach,
  ].flatMap((check) => check.examine(all).map(told));
}

suite("collidingAddresses", () => {
  const TAKE_OFF = "ipvsadm -D -t 10.0.0.12:8443";

  test("collidingAddresses names both services, the owner and the interface, and is the only finding about the address", () => {
    assert.deepEqual(find(LOCAL), [
      [
        "vip-of-server 10.0.0.12",
        TAKE_OFF,
        "ip address del 10.0.0.12/32 dev kube-ipvs0",
      ],
    ]);
    const [finding] = collidingAddresses.examine(facts(LOCAL));
    assert.equal(
      finding?.seen,
      "it is the virtual address of tcp/10.0.0.12:8443 and a real server of tcp/192.0.2.1:80; on eth2, 02:00:00:00:01:0c has it, and this machine has it on kube-ipvs0, so requests of tcp/192.0.2.1:80 to that server end here",
    );
    assert.match(
      finding.evidence?.[0] ?? "",
      /^kube-proxy adds .* externalIPs /,
    );
  });

  test("collidingAddresses: after the address was removed, nothing proposes to add it again", () => {
    assert.deepEqual(find(ELSEWHERE, { probes: [] }), [
      ["vip-of-server 10.0.0.12", TAKE_OFF],
    ]);
    const known = { ...ELSEWHERE, neighbors: [neighbor(2, "10.0.0.12", 12)] };
    const unasked = { nextHops: new Map(), strangers: [] };
    assert.deepEqual(find(known, { probes: [], stations: unasked }), [
      ["vip-of-server 10.0.0.12", TAKE_OFF],
    ]);
  });

  test("collidingAddresses finds nothing without the service, and where nobody else answers", () => {
    const ids = (around: Network, given: Partial<Facts>) =>
      find(around, { probes: [], ...given }).map(([first]) => first);
    assert.deepEqual(ids(ELSEWHERE, { table: [WEB], allServices: [WEB] }), []);
    const silent = { nextHops: new Map(), strangers: [] };
    assert.deepEqual(ids(LOCAL, { stations: silent }), [
      "local-server-unheard 10.0.0.12:80 of tcp/192.0.2.1:80",
    ]);
    assert.deepEqual(ids(ELSEWHERE, { stations: silent }), [
      "vip-not-local 10.0.0.12",
    ]);
  });

  test("collidingAddresses leaves a server alone that is this machine itself", () => {
    const listeners = [
      { protocol: TCP, address: address("0.0.0.0"), port: 80 },
    ] as const;
    assert.deepEqual(
      collidingAddresses.examine(facts(LOCAL, { listeners })),
      [],
    );
    const main = {
      ...LOCAL,
      addresses: [ownAddress(2, "10.0.0.12/24")],
    };
    assert.deepEqual(
      collidingAddresses.examine(facts(LOCAL, { network: main })),
      [],
    );
  });

  test("collidingAddresses: a real server that answers for addresses of others is another fault", () => {
    const stations = {
      nextHops: new Map([["10.0.0.11", mac(12)]]),
      strangers: [ANSWER],
    };
    assert.deepEqual(
      find(LOCAL, { stations, probes: [] })[0]?.[0],
      "vip-answered-elsewhere 10.0.0.12",
    );
  });

  test("collidingAddresses is silent on a backup", () => {
    const daemons = [
      { state: BACKUP, multicastInterface: "eth1", syncId: 1 },
    ] as const;
    assert.deepEqual(collidingAddresses.examine(facts(LOCAL, { daemons })), []);
  });

  test("examineThere() never names the server itself as its director", () => {
    assert.match(
      examineThere(WEB, real2, facts(LOCAL)).command,
      / --director 10\.0\.0\.1$/,
    );
  });
});
