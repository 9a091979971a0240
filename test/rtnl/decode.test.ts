import assert from "node:assert/strict";
import { test } from "node:test";
import { formatAddress, INET, INET6 } from "../../src/ipvs/address.js";
import { MalformedReply } from "../../src/netlink/errors.js";
import { spanOf, type Span } from "../../src/netlink/link.js";
import { formatHardwareAddress } from "../../src/rtnl/model.js";
import {
  readAddress,
  readRouteReply,
  readDevice,
  readNeighbor,
  readRoute,
  readRule,
} from "../../src/rtnl/decode.js";
import { beginnings, hex, hexOf } from "../fixtures/hex.js";
import * as recorded from "../fixtures/rtnl.js";

function shown(address: Uint8Array | undefined): string | undefined {
  return address && formatAddress(address);
}

function device(payload: Uint8Array) {
  const { hardwareAddress, tunnel, ...rest } = readDevice(spanOf(payload));
  return {
    ...rest,
    hardware: hardwareAddress && formatHardwareAddress(hardwareAddress),
    tunnel: tunnel && {
      ...tunnel,
      local: shown(tunnel.local),
      remote: shown(tunnel.remote),
    },
  };
}

test("readDevice() finds no kind for hardware and lo, and no neighbors on lo", () => {
  assert.deepEqual(device(recorded.LO), {
    index: 1,
    name: "lo",
    kind: undefined,
    up: true,
    loopback: true,
    asksNeighbors: false,
    flags: 0x10049,
    mtu: 65536,
    state: "unknown",
    master: undefined,
    lower: undefined,
    hardware: "00:00:00:00:00:00",
    tunnel: undefined,
  });
});

test("readDevice() finds that an Ethernet interface resolves neighbors", () => {
  assert.deepEqual(device(recorded.LAN), {
    index: 3,
    name: "lan",
    kind: "veth",
    up: true,
    loopback: false,
    asksNeighbors: true,
    flags: 0x11043,
    mtu: 1500,
    state: "up",
    master: undefined,
    lower: 2,
    hardware: "f6:9b:be:5d:94:e2",
    tunnel: undefined,
  });
});

test("readDevice() decodes a tunnel's ends and whether it wants checksums", () => {
  const { kind, up, asksNeighbors, state, tunnel } = device(recorded.IPIP);
  assert.deepEqual([kind, up, asksNeighbors], ["ipip", false, false]);
  assert.equal(state, "down");
  const ends = { local: "192.0.2.1", remote: "192.0.2.200" };
  const plain = { anyMetadata: false, wantsChecksum: false };
  assert.deepEqual(tunnel, { ...ends, ...plain, inside: undefined });
  assert.deepEqual(device(recorded.GRE).tunnel, {
    ...{ local: "192.0.2.1", remote: "192.0.2.201" },
    ...{ inside: undefined, anyMetadata: false, wantsChecksum: true },
  });
});

test("readDevice() returns undefined for a tunnel's end that is any address", () => {
  const text = hexOf(recorded.IPIP);
  const open = text.replace("08000300c00002c8", "0800030000000000");
  assert.notEqual(open, text);
  const { tunnel } = device(hex(open));
  assert.deepEqual([tunnel?.local, tunnel?.remote], ["192.0.2.1", undefined]);
});

test("readDevice() returns the only protocol that a tunnel carries", () => {
  const any = "0500090000000000";
  const text = hexOf(recorded.IPIP);
  assert.ok(text.includes(any));
  const narrow = text.replace(any, "0500090029000000");
  assert.equal(device(hex(narrow)).tunnel?.inside, 41);
});

function address(payload: Uint8Array) {
  const one = readAddress(spanOf(payload));
  assert.ok(one);
  return { ...one, address: shown(one.address), peer: shown(one.peer) };
}

test("readAddress() returns the local IPv4 address, and the peer if it is different", () => {
  const settled = { secondary: false, tentative: false, duplicate: false };
  assert.deepEqual(address(recorded.LAN_ADDRESS), {
    family: INET,
    device: 3,
    address: "192.0.2.1",
    peer: undefined,
    prefixBits: 24,
    scope: "global",
    ...settled,
  });
  assert.deepEqual(address(recorded.PEER_ADDRESS), {
    family: INET,
    device: 3,
    address: "192.0.2.150",
    peer: "192.0.2.151",
    prefixBits: 32,
    scope: "global",
    ...settled,
  });
});

test("readAddress() decodes a tentative IPv6 address", () => {
  const virtual = address(recorded.VIRTUAL_ADDRESS6);
  assert.deepEqual(
    [virtual.family, virtual.address, virtual.prefixBits, virtual.tentative],
    [INET6, "2001:db8::100", 128, false],
  );
  const local = address(recorded.LINK_LOCAL);
  assert.deepEqual([local.scope, local.tentative], ["link", true]);
});

function route(payload: Uint8Array, read = readRoute) {
  const one = read(spanOf(payload));
  assert.ok(one);
  const { target, source, hops, ...rest } = one;
  return {
    ...rest,
    target: `${formatAddress(target)}/${rest.prefixBits}`,
    source: shown(source),
    hops: hops.map(({ device, gateway }) => [device, shown(gateway)]),
  };
}

test("readRoute() decodes a gateway, a metric and an MTU", () => {
  assert.deepEqual(route(recorded.GATEWAY_ROUTE), {
    family: INET,
    type: "unicast",
    table: 254,
    scope: "global",
    protocol: 3,
    target: "198.51.100.0/24",
    prefixBits: 24,
    source: undefined,
    metric: 5,
    mtu: 1300,
    errno: undefined,
    hops: [[3, "192.0.2.20"]],
  });
});

test("readRoute() decodes several next hops, and a gateway of the other family", () => {
  assert.deepEqual(route(recorded.HOPS_ROUTE).hops, [
    [3, "192.0.2.20"],
    [3, undefined],
  ]);
  assert.deepEqual(route(recorded.VIA_ROUTE).hops, [[3, "fe80::20"]]);
});

test("readRoute() decodes local routes and routes without a next hop", () => {
  const local = route(recorded.LOCAL_ROUTE);
  assert.deepEqual(
    [local.type, local.table, local.scope, local.hops],
    ["local", 255, "host", [[1, undefined]]],
  );
  assert.deepEqual(route(recorded.UNREACHABLE_ROUTE).hops, []);
  const six = route(recorded.UNREACHABLE_ROUTE6);
  assert.deepEqual([six.type, six.target], ["unreachable", "2001:db8:9::/48"]);
});

test("readRoute() skips a cached copy, and readRouteReply() decodes it", () => {
  assert.deepEqual(route(recorded.ANSWER, readRouteReply), {
    family: INET,
    type: "unicast",
    table: 254,
    scope: "global",
    protocol: 0,
    target: "198.51.100.9/32",
    prefixBits: 32,
    source: "192.0.2.1",
    metric: 0,
    mtu: 1300,
    errno: undefined,
    hops: [[3, "192.0.2.20"]],
  });
  assert.equal(readRoute(spanOf(recorded.ANSWER)), undefined);
});

test("readRule() decodes all selectors of a rule", () => {
  const rule = readRule(spanOf(recorded.RULE_MESSAGE));
  assert.ok(rule?.from && rule.to);
  const { from, to, ...rest } = rule;
  assert.deepEqual(rest, {
    family: INET,
    priority: 701,
    action: "table",
    table: 77,
    incoming: "lan",
    outgoing: undefined,
    mark: { value: 7, mask: 0xff },
    inverted: true,
  });
  assert.deepEqual([shown(from.address), from.bits], ["198.51.100.0", 24]);
  assert.deepEqual([shown(to.address), to.bits], ["203.0.113.0", 24]);
});

test("readRule() tells that a rule looks at more, or leads to the table of a VRF", () => {
  const withAttribute = (...bytes: number[]) =>
    readRule(spanOf(Uint8Array.of(...recorded.RULE_MESSAGE, ...bytes)));
  assert.equal(withAttribute(5, 0, 19, 0, 1, 0, 0, 0)?.vrf, true);
  for (const more of [
    [5, 0, 22, 0, 6, 0, 0, 0],
    [8, 0, 24, 0, 80, 0, 80, 0],
  ])
    assert.equal(withAttribute(...more)?.hasMore, true, more.join(" "));
  const ofService = Uint8Array.from(recorded.RULE_MESSAGE);
  ofService[3] = 0x10;
  assert.equal(readRule(spanOf(ofService))?.hasMore, true);
});

test("readNeighbor() decodes the state of a neighbor", () => {
  const neighbor = readNeighbor(spanOf(recorded.MULTICAST_NEIGHBOR));
  assert.ok(neighbor?.hardwareAddress);
  assert.equal(shown(neighbor.address), "ff02::16");
  assert.equal(
    formatHardwareAddress(neighbor.hardwareAddress),
    "33:33:00:00:00:16",
  );
  assert.deepEqual(
    [neighbor.state, neighbor.device, neighbor.router],
    ["noarp", 3, false],
  );
});

test("the decoders skip messages of other families", () => {
  const RTNL_FAMILY_IPMR = hex("80");
  for (const [payload, read] of [
    [recorded.LAN_ADDRESS, readAddress],
    [recorded.LOCAL_ROUTE, readRoute],
    [recorded.RULE_MESSAGE, readRule],
    [recorded.MULTICAST_NEIGHBOR, readNeighbor],
  ] as const) {
    const other = Uint8Array.of(...RTNL_FAMILY_IPMR, ...payload.subarray(1));
    assert.equal(read(spanOf(other)), undefined);
  }
});

test("the decoders reject a message cut short, or omit the missing attributes", () => {
  const readers: readonly (readonly [
    Uint8Array,
    (payload: Span) => unknown,
  ])[] = [
    [recorded.GRE, readDevice],
    [recorded.LAN_ADDRESS, readAddress],
    [recorded.HOPS_ROUTE, readRoute],
    [recorded.RULE_MESSAGE, readRule],
    [recorded.MULTICAST_NEIGHBOR, readNeighbor],
  ];
  for (const [whole, read] of readers) {
    let refused = 0;
    for (const part of beginnings(whole))
      try {
        read(spanOf(part));
      } catch (error) {
        assert.ok(error instanceof MalformedReply, String(error));
        refused++;
      }
    assert.ok(refused > whole.length / 2, `${refused} of ${whole.length}`);
  }
});

test("readRoute() rejects a next hop that extends past the end", () => {
  const at = recorded.HOPS_ROUTE.length - 8;
  const long = recorded.HOPS_ROUTE.with(at, 12);
  assert.throws(() => readRoute(spanOf(long)), /a next hop is cut short/);
});
