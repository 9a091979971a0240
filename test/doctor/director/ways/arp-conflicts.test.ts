import assert from "node:assert/strict";
import { test } from "node:test";
import { strangers } from "../../../../src/doctor/director/ways/arp-conflicts.js";
import { address, serverEntry } from "../../../fixtures/entries.js";
import { mac, neighbor, network } from "../../made-up-network.js";
import { serviceAt, told } from "../../made-up.js";

const FLUSH =
  "the clients and routers of that network: ip neighbor flush to 192.0.2.1";
const KEEP_SILENT =
  "real server 192.0.2.10: sysctl -w net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2";

function find(answer: Uint8Array, asked?: Uint8Array): string[][] {
  return strangers
    .examine({
      table: [serviceAt("192.0.2.1", [serverEntry("192.0.2.10", 80)])],
      daemons: [],
      network: network([], {
        neighbors: [neighbor(1, "192.0.2.11", 2)].concat(
          asked ? [] : [neighbor(1, "192.0.2.10", 1)],
        ),
      }),
      stations: {
        nextHops: new Map([["192.0.2.10", asked]]),
        strangers: [
          { address: address("192.0.2.1"), device: 1, hardwareAddress: answer },
        ],
      },
    })
    .map(told);
}

test("arpConflicts: a real server that answers is named by its hardware address", () => {
  const found = [["vip-answered-elsewhere 192.0.2.1", KEEP_SILENT, FLUSH]];
  assert.deepEqual(find(mac(1)), found);
  assert.deepEqual(find(mac(3), mac(3)), found);
});

test("arpConflicts: any other machine must give the address up", () => {
  assert.deepEqual(find(mac(2)), [
    [
      "vip-answered-elsewhere 192.0.2.1",
      "the machine with 02:00:00:00:01:02: ip address del 192.0.2.1/32 dev INTERFACE",
      FLUSH,
    ],
  ]);
});
