import assert from "node:assert/strict";
import { test } from "node:test";
import { askStations } from "../../src/doctor/read-network.js";
import { formatAddress, type Address } from "../../src/ipvs/address.js";
import { address } from "../fixtures/entries.js";
import {
  device,
  mac,
  neighbor,
  network,
  ownAddress,
  route,
} from "./made-up-network.js";

/** A network in which these stations answer; what was asked is noted. */
function stations(all: Readonly<Record<string, Uint8Array>>) {
  const asked: string[] = [];
  return {
    asked,
    findAddressOwner(who: Address, index: number) {
      const text = formatAddress(who);
      asked.push(`${text} on ${index}`);
      return Promise.resolve(all[text]);
    },
  };
}

const OWN = [ownAddress(1, "192.0.2.2/24"), ownAddress(1, "192.0.2.1/32")];
const VIRTUAL = [address("192.0.2.1")];

test("askStations() asks for a virtual address where its network is, and ignores this machine's own answer", async () => {
  const around = network([route("192.0.2.1", "local", 9)], {
    devices: [device(1), device(2)],
    addresses: [...OWN, ownAddress(2, "198.51.100.2/24")],
  });
  const stranger = stations({ "192.0.2.1": mac(7) });
  const { strangers } = await askStations(stranger, around, VIRTUAL, []);
  assert.deepEqual(stranger.asked, ["192.0.2.1 on 1"]);
  assert.deepEqual(strangers, [
    { address: address("192.0.2.1"), device: 1, hardwareAddress: mac(7) },
  ]);
  const ourselves = stations({
    "192.0.2.1": device(2).hardwareAddress ?? mac(1),
  });
  assert.deepEqual(
    (await askStations(ourselves, around, VIRTUAL, [])).strangers,
    [],
  );
});

test("askStations() does not ask for addresses that are not local or cannot be asked for", async () => {
  for (const around of [
    network([route("192.0.2.1", "unicast", 1)], { addresses: OWN }),
    network([route("192.0.2.1", "local", 1)], {
      addresses: [ownAddress(1, "192.0.2.1/24")],
    }),
  ]) {
    const silent = stations({});
    await askStations(silent, around, VIRTUAL, []);
    assert.deepEqual(silent.asked, []);
  }
});

test("askStations() asks for each next hop once, first for those that the kernel is not sure of", async () => {
  const around = network(
    [
      route("192.0.2.10", "unicast", 1),
      route("198.51.100.10", "unicast", 1, "192.0.2.254"),
      route("198.51.100.11", "unicast", 1, "192.0.2.254"),
      route("192.0.2.2", "local", 9),
    ],
    {
      addresses: OWN,
      neighbors: [
        neighbor(1, "192.0.2.10", 1),
        neighbor(1, "192.0.2.254", 2, "stale"),
      ],
    },
  );
  const some = stations({ "192.0.2.10": mac(1) });
  const servers = [
    "192.0.2.10",
    "198.51.100.10",
    "198.51.100.11",
    "192.0.2.2",
  ].map(address);
  const { nextHops } = await askStations(some, around, [], servers);
  assert.deepEqual(some.asked, ["192.0.2.254 on 1", "192.0.2.10 on 1"]);
  assert.deepEqual(
    nextHops,
    new Map([
      ["192.0.2.254", undefined],
      ["192.0.2.10", mac(1)],
    ]),
  );
});
