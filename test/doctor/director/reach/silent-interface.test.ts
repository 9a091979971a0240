import assert from "node:assert/strict";
import { test } from "node:test";
import { reach } from "../../../../src/doctor/director/reach/reach.js";
import { unwatchedBonds } from "../../../../src/doctor/director/reach/unwatched-bonds.js";
import type { Network } from "../../../../src/doctor/network.js";
import type { Bond, Device } from "../../../../src/rtnl/model.js";
import { serverEntry } from "../../../fixtures/entries.js";
import {
  device,
  mac,
  neighbor,
  network,
  route,
} from "../../made-up-network.js";
import { serviceAt, sysctls, told } from "../../made-up.js";

const HOSTS = ["192.0.2.10", "192.0.2.11"];

/** What is found if servers behind eth1 answer, or not. */
function find(
  given: Partial<Network> = {},
  answering: readonly string[] = [],
  router?: string,
) {
  const ways = HOSTS.map((host) => route(host, "unicast", 1, router));
  const hops = router === undefined ? HOSTS : [router];
  return reach.examine({
    table: [
      serviceAt(
        "198.51.100.1",
        HOSTS.map((host) => serverEntry(host, 80, { forwarding: 0 })),
      ),
    ],
    network: network(ways, given),
    stations: {
      nextHops: new Map(
        hops.map((hop) => [hop, answering.includes(hop) ? mac(1) : undefined]),
      ),
      strangers: [],
    },
    sysctls: sysctls({}),
  });
}

const NO_CARRIER: Partial<Device> = { state: "lowerlayerdown" };

/** eth1 as a bond of eth2 and eth3 that sends by eth2. */
function bond(
  given: Partial<Bond>,
  first: Partial<Device> = {},
  second: Partial<Device> = {},
): Device[] {
  return [
    device(1, {
      name: "bond0",
      kind: "bond",
      bond: {
        mode: 1,
        active: 2,
        miimonMilliseconds: 0,
        arpIntervalMilliseconds: 0,
        ...given,
      },
    }),
    device(2, { master: 1, ...first }),
    device(3, { master: 1, ...second }),
  ];
}

const WATCH = "ip link set bond0 type bond miimon 100";

test("reach: if no server behind an interface answers, it is one finding without weight 0", () => {
  const [finding, ...rest] = find();
  assert.deepEqual(rest, []);
  assert.ok(finding);
  assert.deepEqual(told(finding), ["interface-silent eth1"]);
  assert.equal(finding.certainty, "likely");
  assert.match(
    finding.seen,
    /^none of the 2 .*: 192\.0\.2\.10, 192\.0\.2\.11$/,
  );
  assert.deepEqual(finding.evidence, [
    "real servers of tcp/198.51.100.1:80 behind it: 192.0.2.10:80, 192.0.2.11:80",
  ]);
});

test("reach: a server or neighbor that answers shows that the interface works", () => {
  assert.deepEqual(find({}, HOSTS), []);
  const one = find({}, ["192.0.2.11"]);
  assert.deepEqual(one.map(told), [
    [
      "server-silent 192.0.2.10:80 of tcp/198.51.100.1:80",
      "ipvsadm -e -t 198.51.100.1:80 -r 192.0.2.10:80 -m -w 0",
    ],
  ]);
  const neighbors = [neighbor(1, "192.0.2.77", 7)];
  const both = ["server-silent", "server-silent"];
  const alone = find({ neighbors });
  assert.deepEqual(
    alone.map(({ id }) => id),
    both,
  );
  // Weight 0 for both would leave no server.
  assert.deepEqual(
    alone.flatMap(({ fix }) => fix),
    [],
  );
  assert.deepEqual(
    find({}, [], "192.0.2.254").map(({ id }) => id),
    both,
    "a single router is rather dead itself",
  );
});

test("reach: a bond that sends by a dead port is named, with the setting that makes it notice", () => {
  const devices = bond({}, NO_CARRIER);
  const [finding] = find({ devices });
  assert.ok(finding);
  assert.deepEqual(told(finding), ["interface-silent bond0", WATCH]);
  assert.equal(finding.certainty, "proven");
  assert.match(
    finding.seen,
    /^the bond bond0 sends by eth2, which has no carrier, although eth3 has one: .*miimon and arp_interval are 0/,
  );
  // A single router is enough if the bond is the cause.
  assert.deepEqual(find({ devices }, [], "192.0.2.254").map(told), [
    ["interface-silent bond0", WATCH],
  ]);
  assert.deepEqual(find({ devices }, HOSTS), []);
});

for (const { name, devices, seen, fix = [] } of [
  {
    name: "a bond without a port",
    devices: bond({}).slice(0, 1),
    seen: /^the bond bond0 has no port;/,
  },
  {
    name: "a bond without a cable",
    devices: bond({ miimonMilliseconds: 100 }, NO_CARRIER, NO_CARRIER),
    seen: /^no port of the bond bond0 has a carrier \(eth2, eth3\);/,
  },
  {
    name: "a bond whose ports are down",
    devices: bond({}, { up: false }, { up: false }),
    seen: /^no port of the bond bond0 is up/,
    fix: ["ip link set eth2 up && ip link set eth3 up"],
  },
  {
    name: "a bond that spreads packets over all ports",
    devices: bond({ mode: 0, active: undefined }, {}, NO_CARRIER),
    seen: /^the bond bond0 also sends by eth3, without a carrier: /,
    fix: [WATCH],
  },
  {
    name: "a bridge without a cable",
    devices: [
      device(1, { name: "br0", kind: "bridge", ...NO_CARRIER }),
      device(2, { master: 1, state: "down" }),
    ],
    seen: /^no port of the bridge br0 has a carrier \(eth2\);/,
  },
  {
    name: "a VLAN of such a bond",
    devices: [
      device(1, { name: "bond0.5", kind: "vlan", lower: 9 }),
      ...bond({}, NO_CARRIER).map((one) => ({
        ...one,
        ...(one.index === 1 ? { index: 9 } : { master: 9 }),
      })),
    ],
    seen: /^bond0\.5 is a VLAN of bond0, and the bond bond0 sends by eth2/,
    fix: [WATCH],
  },
  {
    name: "a cable",
    devices: [device(1, { state: "down" })],
    seen: /^eth1 has no carrier/,
  },
])
  test(`reach: what lies under a silent interface is named: ${name}`, () => {
    const [finding, ...rest] = find({ devices });
    assert.deepEqual(rest, []);
    assert.match(finding?.seen ?? "", seen);
    assert.equal(finding?.certainty, "proven");
    assert.deepEqual(
      finding.fix.map(({ command }) => command),
      fix,
    );
  });

test("unwatchedBonds: a bond that watches nothing is reported, also before a cable is dead", () => {
  const found = (devices: Device[]) =>
    unwatchedBonds.examine({ network: network([], { devices }) }).map(told);
  const warning = [["bond-unwatched bond0", WATCH]];
  assert.deepEqual(found(bond({})), warning);
  assert.deepEqual(found(bond({ miimonMilliseconds: 100 })), []);
  assert.deepEqual(found(bond({ arpIntervalMilliseconds: 100 })), []);
  // There is no other port to change to.
  assert.deepEqual(found(bond({}).slice(0, 2)), []);
  const [first, ...ports] = bond({});
  assert.ok(first);
  assert.deepEqual(found([{ ...first, up: false }, ...ports]), []);
});

test("unwatchedBonds: a bond is not reported again that is named as the cause of silent servers", () => {
  const devices = bond({}, NO_CARRIER);
  const ways = HOSTS.map((host) => route(host, "unicast", 1));
  const servers = HOSTS.map((host) => serverEntry(host, 80));
  const found = (answer: Uint8Array | undefined) =>
    unwatchedBonds.examine({
      table: [serviceAt("198.51.100.1", servers)],
      network: network(ways, { devices }),
      stations: {
        nextHops: new Map(HOSTS.map((host) => [host, answer])),
        strangers: [],
      },
      sysctls: sysctls({}),
    }).length;
  assert.equal(found(undefined), 0);
  assert.equal(found(mac(1)), 1);
});
