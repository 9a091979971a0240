import assert from "node:assert/strict";
import { test } from "node:test";
import { arpAnswers } from "../../../src/doctor/real-server/arp.js";
import {
  device,
  foundOn,
  LAN,
  LO,
  owned,
  realServer,
  seenOn,
  service,
  VIP,
} from "./made-up.js";

const AROUND = device(3, "around");

test("arp: a machine that neither answers nor announces has no finding", () => {
  assert.deepEqual(foundOn(realServer()), []);
});

test("arp: the larger of the values for all and for the interface counts", () => {
  const loud = { "net.ipv4.conf.lan.arp_ignore": 0 };
  assert.deepEqual(foundOn(realServer(), loud), [
    [`vip-answers ${VIP} on lan`, "sysctl -w net.ipv4.conf.lan.arp_ignore=1"],
  ]);
  const all = { ...loud, "net.ipv4.conf.all.arp_ignore": 1 };
  assert.deepEqual(foundOn(realServer(), all), []);
  assert.deepEqual(
    foundOn(realServer(), { "net.ipv4.conf.lan.arp_announce": 0 }),
    [
      [
        `vip-announced ${VIP} on lan`,
        "sysctl -w net.ipv4.conf.lan.arp_announce=2",
      ],
    ],
  );
  assert.deepEqual(
    foundOn(realServer(), {
      "net.ipv4.conf.lan.arp_announce": 0,
      "net.ipv4.conf.all.arp_announce": 2,
    }),
    [],
  );
});

test("arp: a larger level with another meaning is lowered where it is set", () => {
  const settings = {
    "net.ipv4.conf.all.arp_ignore": 3,
    "net.ipv4.conf.lan.arp_ignore": 1,
  };
  assert.deepEqual(foundOn(realServer(), settings), [
    [
      `vip-answers ${VIP} on lan`,
      "sysctl -w net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.lan.arp_ignore=1",
    ],
  ]);
});

test("arp: arp_announce 1 is enough only if no network of the interface has the address", () => {
  const level = { "net.ipv4.conf.lan.arp_announce": 1 };
  assert.deepEqual(
    foundOn(realServer(), level).map(([id]) => id),
    [`vip-announced ${VIP} on lan`],
  );
  const addresses = [owned(LO, `${VIP}/32`), owned(LAN, "10.0.0.11/24")];
  assert.deepEqual(foundOn(realServer({ addresses }), level), []);
});

test("arpAnswers() follows the levels of arp_ignore", () => {
  const one = { scope: "global", prefixBits: 32 } as const;
  const wide = { scope: "global", prefixBits: 24 } as const;
  const host = { scope: "host", prefixBits: 32 } as const;
  const rows = [
    [0, [one], [], true],
    [1, [one], [], false],
    [1, [one], [one], true],
    [2, [one], [one], false],
    [2, [wide], [wide], true],
    [3, [one], [], true],
    [3, [host], [], false],
    [4, [one], [], true],
    [8, [one], [one], false],
  ] as const;
  for (const [level, everywhere, here, answers] of rows)
    assert.equal(arpAnswers(level, everywhere, here), answers, `${level}`);
});

test("arp: the fix moves an address of the interface itself to lo", () => {
  const addresses = [owned(LAN, "192.0.2.11/24"), owned(LAN, `${VIP}/24`)];
  assert.deepEqual(foundOn(realServer({ addresses })), [
    [
      `vip-answers ${VIP} on lan`,
      "sysctl -w net.ipv4.conf.lan.arp_ignore=1",
      `ip address add ${VIP}/32 dev lo`,
      `ip address del ${VIP}/24 dev lan`,
    ],
  ]);
  assert.deepEqual(
    foundOn(realServer({ addresses: [...addresses, owned(LO, `${VIP}/32`)] })),
    [
      [
        `vip-answers ${VIP} on lan`,
        "sysctl -w net.ipv4.conf.lan.arp_ignore=1",
        `ip address del ${VIP}/24 dev lan`,
      ],
    ],
  );
});

test("arp: neighbor discovery answers for addresses of the interface, whatever arp_ignore is", () => {
  const vip = "2001:db8::100";
  const services = [service(vip)];
  const loud = {
    "net.ipv4.conf.lan.arp_ignore": 0,
    "net.ipv4.conf.lan.arp_announce": 0,
  };
  const on = (where: typeof LO) =>
    realServer({
      services,
      addresses: [owned(LAN, "2001:db8::11/64"), owned(where, `${vip}/128`)],
    });
  assert.deepEqual(foundOn(on(LO), loud), []);
  assert.deepEqual(foundOn(on(LAN), loud), [
    [
      `vip-answers ${vip} on lan`,
      `ip address add ${vip}/128 dev lo`,
      `ip address del ${vip}/128 dev lan`,
    ],
  ]);
});

test("arp: only interfaces where a neighbor has a reason to ask are checked", () => {
  const loud = { "net.ipv4.conf.lan.arp_ignore": 0 };
  const devices = [LO, LAN, AROUND];
  // In its network: there alone, though nothing is set of the other.
  const addresses = [
    owned(LO, `${VIP}/32`),
    owned(LAN, "192.0.2.11/24"),
    owned(AROUND, "10.0.0.11/24"),
  ];
  const subjects = (change: Parameters<typeof realServer>[0]) =>
    foundOn(realServer({ devices, addresses, ...change }), loud).map(
      ([id]) => id,
    );
  assert.deepEqual(subjects({}), [`vip-answers ${VIP} on lan`]);
  // In no network: a router may ask anywhere, unless packets come by a tunnel.
  const far = [
    owned(LO, `${VIP}/32`),
    owned(LAN, "10.0.1.11/24"),
    owned(AROUND, "10.0.0.11/24"),
  ];
  assert.deepEqual(subjects({ addresses: far }), [
    `vip-answers ${VIP} on around`,
    `vip-announced ${VIP} on around`,
    `vip-answers ${VIP} on lan`,
  ]);
  assert.deepEqual(subjects({ addresses: far, method: "tunnel" }), [
    "no-decapsulation IPv4",
  ]);
  const tunl0 = device(4, "tunl0", { kind: "ipip" });
  const tunneled = { addresses: far, devices: [...devices, tunl0] };
  assert.deepEqual(
    foundOn(realServer(tunneled), {
      ...loud,
      "net.ipv4.conf.tunl0.rp_filter": 0,
    }),
    [],
  );
  // Down, or a port of a bridge, which asks in its place.
  const down = [LO, { ...LAN, up: false }];
  assert.deepEqual(subjects({ devices: down }), []);
  const bridge = device(9, "bridge", { kind: "bridge" });
  const ported = {
    devices: [LO, { ...LAN, master: 9 }, bridge],
    addresses: [owned(LO, `${VIP}/32`), owned(bridge, "192.0.2.11/24")],
  };
  assert.deepEqual(subjects(ported), [
    `vip-answers ${VIP} on bridge`,
    `vip-announced ${VIP} on bridge`,
  ]);
});

test("arp: the finding names the value that counts and the place of the address", () => {
  assert.deepEqual(
    seenOn(realServer(), {
      "net.ipv4.conf.lan.arp_ignore": 0,
      "net.ipv4.conf.all.arp_announce": 1,
      "net.ipv4.conf.lan.arp_announce": 0,
    }),
    [
      "arp_ignore is 0 there (the larger of all and lan)",
      "arp_announce is 1 there (the larger of all and lan)",
    ],
  );
});

test("arp: an address that the kernel does not use is not answered for, and one that it uses elsewhere is", () => {
  const vip = "2001:db8::100";
  const duplicate = owned(LAN, `${vip}/128`, { duplicate: true });
  const answers = (...more: ReturnType<typeof owned>[]) =>
    foundOn(
      realServer({ services: [service(vip)], addresses: [duplicate, ...more] }),
    ).flatMap(([first = ""]) => (first.startsWith("vip-answers") ? first : []));
  assert.deepEqual(answers(), []);
  assert.deepEqual(answers(owned(LO, `${vip}/128`)), [
    `vip-answers ${vip} on lan`,
  ]);
});
