import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { Captured } from "../../../../src/doctor/packets/capture.js";
import { captureScopeOf } from "../../../../src/doctor/director/client/packets.js";
import type { TraceFacts } from "../../../../src/doctor/director/client/trace-step.js";
import { traceClient } from "../../../../src/doctor/director/client/trace.js";
import {
  MASQUERADING,
  TUNNEL_GUE,
  TUNNELING,
} from "../../../../src/ipvs/model.js";
import { address, serverEntry } from "../../../fixtures/entries.js";
import { connectionTable } from "../../made-up-connections.js";
import { device, network, ownAddress, route } from "../../made-up-network.js";
import { serviceAt, sysctls } from "../../made-up.js";
import { repeated, seen } from "../../packets/made-up.js";

const CLIENT = "203.0.113.7";
const SERVICE = serviceAt("192.0.2.1", [
  serverEntry("10.0.0.11", 8080, { forwarding: MASQUERADING }),
]);
const FACTS: TraceFacts = {
  table: [SERVICE],
  allServices: [SERVICE],
  network: network(
    [
      route(CLIENT, "unicast", 1, "192.0.2.254"),
      route("192.0.2.1", "local", 9),
      route("10.0.0.11", "unicast", 2),
    ],
    {
      devices: [device(1), device(2)],
      addresses: [ownAddress(1, "192.0.2.1/24"), ownAddress(2, "10.0.0.1/24")],
    },
  ),
  connections: connectionTable([]),
  sysctls: sysctls({ "net.ipv4.ip_forward": 1 }),
  firewall: { tables: [], unread: [] },
  daemons: [],
};

function trace(packets: Captured | undefined) {
  const client = address(CLIENT);
  return traceClient(FACTS, {
    client,
    seconds: 10,
    connections: [
      {
        connection: {
          protocol: "TCP",
          client,
          clientPort: 40000,
          virtual: address("192.0.2.1"),
          virtualPort: 80,
          server: address("10.0.0.11"),
          serverPort: 8080,
          state: "SYN_RECV",
          expiresSeconds: 50,
        },
        use: "new",
        stateSeconds: 6,
      },
    ],
    after: [SERVICE],
    heard: [],
    packets,
  });
}

const request = (seconds: number) => [
  `${seconds} 1 in ${CLIENT}:40000 > 192.0.2.1:80 S seq 100`,
  `${seconds} 2 out ${CLIENT}:40000 > 10.0.0.11:8080 S seq 100`,
];
const answer = (seconds: number) => [
  `${seconds} 2 in 10.0.0.11:8080 > ${CLIENT}:40000 S. seq 500 ack 101`,
  `${seconds} 1 out 192.0.2.1:80 > ${CLIENT}:40000 S. seq 500 ack 101`,
];
const captured = (lines: readonly string[]): Captured => ({
  sightings: seen(CLIENT, lines),
});

const there = "ipvsadm doctor --real-server tcp/192.0.2.1:80 --method masq";

suite("traceClient() with packets", () => {
  test("traceClient() prints no guess from entries where packets show what happens", () => {
    const without = trace(undefined);
    assert.equal(without.stopsAt?.step, "entries");
    assert.match(without.stopsAt.text, /the server and saw no answer$/);
    const lost = trace(
      captured(repeated([1, 2, 4], (at) => [...request(at), ...answer(at)])),
    );
    assert.deepEqual(
      lost.steps
        .filter(({ step }) => step === "entries" || step === "packets")
        .map(({ step, state }) => `${step} ${state}`),
      ["entries unknown", "packets stops"],
    );
    assert.equal(lost.stopsAt?.step, "packets");
    assert.match(lost.stopsAt.text, /the client asks again: they are lost/);
    assert.deepEqual(lost.next, []);
  });

  test("traceClient() names the command that looks at packets on the real server", () => {
    const { stopsAt, next } = trace(captured(repeated([1, 2, 4], request)));
    assert.equal(stopsAt?.step, "packets");
    assert.equal(next.length, 1);
    assert.ok(next[0]?.command.startsWith(there), next[0]?.command);
    assert.match(next[0]?.command ?? "", / --client 203\.0\.113\.7 --for 20s$/);
    assert.equal(next[0]?.on, "real server 10.0.0.11");
  });

  test("traceClient() keeps what entries tell if packets tell nothing, and says why", () => {
    const unavailable =
      "tcpdump is not installed; the package tcpdump contains it";
    const { stopsAt, notChecked } = trace({ unavailable });
    assert.equal(stopsAt?.step, "entries");
    assert.deepEqual(notChecked, [`packets (${unavailable})`]);
  });
});

test("captureScopeOf() includes tunnels of the table, and servers that see another address", () => {
  const scope = (facts: Partial<TraceFacts>) =>
    captureScopeOf({ ...FACTS, ...facts }, address(CLIENT));
  assert.deepEqual(scope({}), {
    client: address(CLIENT),
    tunnels: false,
    guePorts: [],
    hiddenServers: [],
  });
  const gue = { type: TUNNEL_GUE, port: 6080, flags: 0 };
  const { tunnels, guePorts } = scope({
    table: [
      serviceAt("192.0.2.1", [
        serverEntry("10.0.0.11", 80, { forwarding: TUNNELING }),
        serverEntry("10.0.0.12", 80, { forwarding: TUNNELING, tunnel: gue }),
      ]),
    ],
  });
  assert.deepEqual([tunnels, guePorts], [true, [6080]]);
});
