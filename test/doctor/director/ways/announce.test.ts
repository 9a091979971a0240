import assert from "node:assert/strict";
import { test } from "node:test";
import { announce } from "../../../../src/doctor/director/ways/announce.js";
import type { Device } from "../../../../src/rtnl/model.js";
import { address } from "../../../fixtures/entries.js";
import { device, network, ownAddress } from "../../made-up-network.js";

function announced(text: string, given: Partial<Device> = {}) {
  const around = network([], {
    devices: [device(1, given)],
    addresses: [
      ownAddress(1, "192.0.2.1/32"),
      ownAddress(1, "2001:db8::1/128"),
    ],
  });
  return announce(around, address(text));
}

test("announce() sends gratuitous ARP, and says what does so without arping", () => {
  const [fix, ...rest] = announced("192.0.2.1", { name: "eth1.5" });
  assert.deepEqual(rest, []);
  assert.equal(fix?.command, "arping -U -c 3 -I eth1.5 192.0.2.1");
  assert.match(
    fix.effect ?? "",
    /'sysctl -w net\.ipv4\.conf\.eth1\/5\.arp_notify=1 && ip link set eth1\.5 address 02:00:00:00:00:01'/,
  );
});

test("announce() has the kernel advertise an IPv6 address", () => {
  assert.deepEqual(
    announced("2001:db8::1").map(({ command }) => command),
    [
      "sysctl -w net.ipv6.conf.eth1.ndisc_notify=1 && ip link set eth1 address 02:00:00:00:00:01",
    ],
  );
});

test("announce() announces no address of another machine, of lo or of a dummy", () => {
  assert.deepEqual(announced("192.0.2.2"), []);
  assert.deepEqual(announced("192.0.2.1", { asksNeighbors: false }), []);
  assert.deepEqual(announced("192.0.2.1", { kind: "dummy" }), []);
});
