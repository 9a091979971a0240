import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConnectionGroup } from "../../../src/doctor/connections.js";
import { unanswered } from "../../../src/doctor/director/unanswered.js";
import {
  MASQUERADING,
  TUNNEL_GUE,
  TUNNELING,
  type ServerSettings,
} from "../../../src/ipvs/model.js";
import { address, serverEntry } from "../../fixtures/entries.js";
import { neighbor, network, route } from "../made-up-network.js";
import { serviceAt, told } from "../made-up.js";

const TIMEOUTS = { tcpSeconds: 900, tcpFinSeconds: 120, udpSeconds: 300 };

/** Connections by their states: after how many seconds each is forgotten. */
function group(states: Readonly<Record<string, readonly number[]>>) {
  const opening = new Map<number, number>();
  for (const seconds of states["SYN_RECV"] ?? [])
    opening.set(seconds, (opening.get(seconds) ?? 0) + 1);
  return {
    protocol: "TCP",
    virtual: address("192.0.2.1"),
    virtualPort: 80,
    server: address("192.0.2.10"),
    serverPort: 80,
    states: new Map(
      Object.entries(states).map(([state, all]) => [
        state,
        { count: all.length, longestSeconds: Math.max(...all) },
      ]),
    ),
    opening,
  } satisfies ConnectionGroup;
}

function find(
  states: Readonly<Record<string, readonly number[]>>,
  settings: Partial<ServerSettings> = {},
  around: Parameters<typeof network>[1] = {},
): string[][] {
  const source = address("192.0.2.2");
  return unanswered
    .examine({
      table: [
        serviceAt("192.0.2.1", [serverEntry("192.0.2.10", 80, settings)]),
      ],
      network: network(
        [route("192.0.2.10", "unicast", 1, undefined, { source })],
        around,
      ),
      stations: { nextHops: new Map(), strangers: [] },
      connections: {
        entries: 9,
        byServer: new Map([["192.0.2.10", [group(states)]]]),
      },
      timeouts: TIMEOUTS,
    })
    .map(told);
}

const NAT = { forwarding: MASQUERADING };
const BYPASSED = [
  "nat-unanswered 192.0.2.10:80 of tcp/192.0.2.1:80",
  "real server 192.0.2.10: ip route replace default via 192.0.2.2",
];

test("connections that all stay half open", () => {
  assert.deepEqual(find({ SYN_RECV: [58, 40, 3] }, NAT), [BYPASSED]);
  assert.deepEqual(find({ SYN_RECV: [58, 40, 3] })[0]?.slice(0, 2), [
    "direct-unanswered 192.0.2.10:80 of tcp/192.0.2.1:80",
    "real server 192.0.2.10: modprobe ipip && ip link set tunl0 up && sysctl -w net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.tunl0.rp_filter=0",
  ]);
  assert.equal(
    find({ SYN_RECV: [58, 40, 3] })[0]?.[2],
    "ipvsadm -e -t 192.0.2.1:80 -r 192.0.2.10:80 -i -w 1 --tun-type ipip",
  );
});

test("a few are on their way just now", () => {
  assert.deepEqual(find({ SYN_RECV: [58, 58] }, NAT), []);
});

test("what came further before they began does not help, what did so since does", () => {
  // The last packet of the established ones was 30 seconds ago, of the ending ones 31.
  const before = { ESTABLISHED: [870, 400], FIN_WAIT: [89] };
  assert.deepEqual(find({ ...before, SYN_RECV: [58, 40, 31] }, NAT), [
    BYPASSED,
  ]);
  assert.deepEqual(find({ ...before, SYN_RECV: [58, 30, 29] }, NAT), []);
});

test("a server that does not answer at all is told as such", () => {
  const neighbors = [neighbor(1, "192.0.2.10", undefined, "failed")];
  assert.deepEqual(find({ SYN_RECV: [9, 9, 9] }, NAT, { neighbors }), []);
});

test("only for IP in IP is it known how the tunnel is to end", () => {
  const tunnel = { type: TUNNEL_GUE, port: 6080, flags: 0 };
  assert.deepEqual(
    find({ SYN_RECV: [9, 9, 9] }, { forwarding: TUNNELING, tunnel }),
    [["tunnel-unanswered 192.0.2.10:80 of tcp/192.0.2.1:80"]],
  );
});
