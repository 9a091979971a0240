import assert from "node:assert/strict";
import { test } from "node:test";
import { capacity } from "../../../../src/doctor/director/table/capacity.js";
import { MASQUERADING, TUNNELING } from "../../../../src/ipvs/model.js";
import { address, serverEntry } from "../../../fixtures/entries.js";
import { connectionGroup, connectionTable } from "../../made-up-connections.js";
import { network, route } from "../../made-up-network.js";
import { serviceAt, told } from "../../made-up.js";

const find = (...table: ReturnType<typeof serviceAt>[]) =>
  capacity.examine({ table }).map(told);

test("capacity: a service with a server that takes connections is fine", () => {
  const servers = [
    serverEntry("192.0.2.10", 80, { weight: 0 }),
    serverEntry("192.0.2.11", 80),
  ];
  assert.deepEqual(find(serviceAt("192.0.2.1", servers)), []);
});

test("capacity: a service without a real server is an error", () => {
  assert.deepEqual(find(serviceAt("192.0.2.1"), serviceAt("2001:db8::1")), [
    ["no-servers tcp/192.0.2.1:80", "ipvsadm -a -t 192.0.2.1:80 -r SERVER"],
    [
      "no-servers tcp/[2001:db8::1]:80",
      "ipvsadm -a -t '[2001:db8::1]:80' -r SERVER",
    ],
  ]);
});

test("capacity: the fix for drained servers keeps their other settings", () => {
  const servers = [
    serverEntry("192.0.2.10", 80, {
      weight: 0,
      forwarding: TUNNELING,
      upperThreshold: 9,
    }),
    serverEntry("192.0.2.11", 80, { weight: 0 }),
  ];
  assert.deepEqual(find(serviceAt("192.0.2.1", servers)), [
    [
      "all-drained tcp/192.0.2.1:80",
      "ipvsadm -e -t 192.0.2.1:80 -r 192.0.2.10:80 -i -w 1 --tun-type ipip -x 9",
      "ipvsadm -e -t 192.0.2.1:80 -r 192.0.2.11:80 -g -w 1",
    ],
  ]);
});

test("capacity: a service whose servers are all full is an error", () => {
  const full = {
    ...serverEntry("192.0.2.10", 80, {
      forwarding: MASQUERADING,
      upperThreshold: 5,
      lowerThreshold: 2,
    }),
    activeConnections: 3,
    inactiveConnections: 2,
  };
  const drained = serverEntry("192.0.2.11", 80, { weight: 0 });
  assert.deepEqual(find(serviceAt("192.0.2.1", [full, drained])), [
    [
      "all-overloaded tcp/192.0.2.1:80",
      "ipvsadm -e -t 192.0.2.1:80 -r 192.0.2.10:80 -m -w 1 -x 10 -y 2",
    ],
  ]);
});

test("capacity: a threshold that connections without an answer fill is not raised", () => {
  const full = {
    ...serverEntry("192.0.2.10", 80, {
      forwarding: MASQUERADING,
      upperThreshold: 1,
    }),
    inactiveConnections: 1,
  };
  const drained = serverEntry("192.0.2.11", 80, { weight: 0 });
  const table = [serviceAt("192.0.2.1", [full, drained])];
  const find = (states: Record<string, number[]>) =>
    capacity.examine({
      table,
      allServices: table,
      network: network([route("192.0.2.10", "unicast", 1)]),
      connections: connectionTable([
        connectionGroup(states, { openingClients: [address("203.0.113.7")] }),
      ]),
    })[0];
  const waiting = find({ SYN_RECV: [50] });
  assert.deepEqual(waiting?.fix, []);
  assert.deepEqual(
    waiting.next?.map(({ command }) => command),
    [
      "ipvsadm doctor --real-server tcp/192.0.2.1:80 --method masq --server 192.0.2.10:80 --client 203.0.113.7",
    ],
  );
  assert.deepEqual(waiting.evidence, [
    "all connections to 192.0.2.10:80 wait in SYN_RECV: it does not answer, and a higher threshold does not help",
    "192.0.2.11:80 has weight 0, so it gets no new connections: give it a weight if it is in order",
  ]);
  assert.equal(find({ SYN_RECV: [50], TIME_WAIT: [9] })?.fix.length, 1);
});
