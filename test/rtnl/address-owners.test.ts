import assert from "node:assert/strict";
import { test } from "node:test";
import { INET, INET6, parseAddress } from "../../src/ipvs/address.js";
import { NetworkRefusal } from "../../src/rtnl/errors.js";
import type { Device, DeviceAddress } from "../../src/rtnl/model.js";
import { probeObstacle, isWithin } from "../../src/rtnl/address-owners.js";
import { hex, hexOf } from "../fixtures/hex.js";
import { networkOf } from "./scripted-network.js";

const NEW = 28;
const DELETE = 29;
const GET = 30;
const LAN = 3;
const STATION = "192.0.2.20";

/**
 * A neighbor entry as Linux 6.1 sends it: 192.0.2.20 on interface 3, with a state and a hardware
 * address.
 */
function entry(state: string, hardware = "02000000 0020"): Uint8Array {
  const known = hardware && `0a000200 ${hardware} 0000`;
  return hex(`02000000 03000000 ${state}000001 08000100 c0000214 ${known}`);
}
const INCOMPLETE = entry("01", "");
const REACHABLE = entry("02");
const STALE = entry("04");
const PROBE = entry("10");
const FAILED = entry("20", "");
const PERMANENT = entry("80");

function address(text: string): Uint8Array {
  const bytes = parseAddress(text);
  assert.ok(bytes, text);
  return bytes;
}

/**
 * Finds the owner of the address. `tables` are successive readings of the neighbor table; the last
 * one repeats.
 */
async function ask(
  readings: readonly (readonly Uint8Array[])[],
  milliseconds = 10_000,
) {
  let read = 0;
  const { client, link } = networkOf(({ type }) =>
    type === GET ? (readings[Math.min(read++, readings.length - 1)] ?? []) : [],
  );
  const found = await client.findAddressOwner(
    address(STATION),
    LAN,
    milliseconds,
  );
  const changes = link.sent
    .flat()
    .filter(({ type }) => type !== GET)
    .map(({ type, flags, payload }) => [type, flags, hexOf(payload)]);
  return { found: found && hexOf(found), changes };
}

const NDM = (state: string, flags: string) =>
  `0200000003000000${state}00${flags}0008000100c0000214`;

test("findAddressOwner() makes the kernel resolve an unknown neighbor, and deletes the entry afterwards", async () => {
  const { found, changes } = await ask([[], [INCOMPLETE], [REACHABLE]]);
  assert.equal(found, "020000000020");
  assert.deepEqual(changes, [
    [NEW, 0x405, NDM("00", "01")],
    [DELETE, 0x005, NDM("00", "00")],
  ]);
});

test("findAddressOwner() returns undefined and deletes the entry if nobody replies in time", async () => {
  const { found, changes } = await ask([[], [INCOMPLETE]], 50);
  assert.equal(found, undefined);
  assert.deepEqual(
    changes.map(([type]) => type),
    [NEW, DELETE],
  );
});

test("findAddressOwner() stops waiting when the kernel gives up", async () => {
  const { found } = await ask([[], [INCOMPLETE], [FAILED]]);
  assert.equal(found, undefined);
});

test("findAddressOwner() probes a known neighbor and keeps its entry", async () => {
  for (const before of [STALE, REACHABLE]) {
    const { found, changes } = await ask([[before], [PROBE], [REACHABLE]]);
    assert.equal(found, "020000000020");
    assert.deepEqual(changes, [[NEW, 0x105, NDM("10", "00")]]);
  }
  const { found } = await ask([[STALE], [PROBE]], 50);
  assert.equal(found, undefined);
});

test("findAddressOwner() resolves a failed neighbor again and keeps its entry", async () => {
  const { found, changes } = await ask([[FAILED], [INCOMPLETE], [REACHABLE]]);
  assert.equal(found, "020000000020");
  assert.deepEqual(changes, [[NEW, 0x405, NDM("00", "01")]]);
});

test("findAddressOwner() does not probe a permanent entry", async () => {
  const { found, changes } = await ask([[PERMANENT]]);
  assert.equal(found, "020000000020");
  assert.deepEqual(changes, []);
});

test("findAddressOwner() ignores entries of other interfaces and addresses", async () => {
  const elsewhere = REACHABLE.with(4, 9);
  const another = REACHABLE.with(REACHABLE.length - 13, 0x15);
  const { found } = await ask([[], [elsewhere, another]], 50);
  assert.equal(found, undefined);
});

test("findAddressOwner() throws a refusal of the probe, and deletes no entry", async () => {
  const { client, link } = networkOf(({ type }) => (type === GET ? [] : 1));
  await assert.rejects(
    client.findAddressOwner(address(STATION), LAN, 100),
    (error) =>
      error instanceof NetworkRefusal &&
      error.message === "Cannot probe a neighbor: EPERM",
  );
  assert.deepEqual(
    link.sent.flat().map(({ type }) => type),
    [GET, NEW],
  );
});

const DEVICE: Device = {
  index: LAN,
  name: "lan",
  kind: undefined,
  up: true,
  loopback: false,
  asksNeighbors: true,
  flags: 0x1043,
  mtu: 1500,
  state: "up",
  master: undefined,
  lower: undefined,
  hardwareAddress: hex("020000000001"),
  tunnel: undefined,
};

/** An address `ADDRESS/BITS` of an interface. */
function owned(text: string, device = LAN): DeviceAddress {
  const [host = "", bits] = text.split("/");
  const bytes = address(host);
  return {
    family: bytes.length === 4 ? INET : INET6,
    device,
    address: bytes,
    peer: undefined,
    prefixBits: Number(bits),
    scope: host.startsWith("fe80") ? "link" : "global",
    secondary: false,
    tentative: false,
    duplicate: false,
  };
}

test("probeObstacle() rejects interfaces without neighbors, and interfaces that are down", () => {
  const target = address("192.0.2.100");
  const fails = (change: Partial<Device>) =>
    probeObstacle(target, { ...DEVICE, ...change }, [owned("192.0.2.1/24")]);
  assert.equal(fails({}), undefined);
  assert.equal(fails({ asksNeighbors: false }), "no neighbors");
  assert.equal(fails({ up: false }), "down");
  assert.equal(fails({ state: "lowerlayerdown" }), "down");
  assert.equal(fails({ state: "unknown" }), undefined);
});

test("probeObstacle() rejects an address that ARP would use as source: the first one of the same network", () => {
  const fails = (...addresses: DeviceAddress[]) =>
    probeObstacle(address("192.0.2.100"), DEVICE, addresses);
  const virtual = owned("192.0.2.100/32");
  assert.equal(fails(owned("192.0.2.1/24"), virtual), undefined);
  assert.equal(fails(virtual, owned("192.0.2.1/24")), "own name");
  assert.equal(fails(owned("10.0.0.1/8"), virtual), "own name");
  assert.equal(fails(virtual), "own name");
  assert.equal(fails(owned("10.0.0.1/8")), undefined);
  // An interface without an address uses one of another interface.
  assert.equal(fails(owned("192.0.2.100/32", 1)), "own name");
  assert.equal(
    fails({ ...virtual, secondary: true }, owned("10.0.0.1/8")),
    undefined,
  );
});

test("probeObstacle() rejects an interface without a link-local address, and the interface's own IPv6 address", () => {
  const fails = (...addresses: DeviceAddress[]) =>
    probeObstacle(address("2001:db8::100"), DEVICE, addresses);
  const near = owned("fe80::1/64");
  assert.equal(fails(near, owned("2001:db8::1/64")), undefined);
  assert.equal(fails(owned("2001:db8::1/64")), "no address");
  assert.equal(fails({ ...near, tentative: true }), "no address");
  assert.equal(fails(near, owned("2001:db8::100/128")), "own address");
  assert.equal(fails(near, owned("2001:db8::100/128", 1)), undefined);
});

test("isWithin() compares the first bits of the address", () => {
  const within = (one: string, network: string, bits: number) =>
    isWithin(address(one), address(network), bits);
  assert.ok(within("192.0.2.200", "192.0.2.1", 24));
  assert.ok(!within("192.0.3.200", "192.0.2.1", 24));
  assert.ok(within("192.0.3.200", "192.0.2.1", 23));
  assert.ok(!within("192.0.2.200", "192.0.2.1", 25));
  assert.ok(within("192.0.2.200", "10.0.0.0", 0));
  assert.ok(!within("192.0.2.200", "192.0.2.201", 32));
  assert.ok(within("2001:db8::1", "2001:db8::", 33));
  assert.ok(!within("2001:db8::1", "192.0.2.1", 0));
});
