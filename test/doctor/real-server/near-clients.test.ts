import assert from "node:assert/strict";
import { test } from "node:test";
import { examine } from "../../../src/doctor/check.js";
import {
  answerWays,
  nearClients,
} from "../../../src/doctor/real-server/near-clients.js";
import { openingsIn } from "../../../src/doctor/real-server/read-near-clients.js";
import type {
  NearClient,
  RealServer,
} from "../../../src/doctor/real-server/real-server.js";
import { address } from "../../fixtures/entries.js";
import { mac } from "../made-up-network.js";
import { told } from "../made-up.js";
import {
  device,
  foundOn,
  LAN,
  LO,
  owned,
  realServer,
  route,
  VIP,
  withWays,
} from "./made-up.js";

const BRIDGE = device(3, "br-office", { kind: "bridge" });
const client = address("172.18.4.10");
const silent: NearClient = {
  client,
  device: BRIDGE.index,
  waits: false,
  hardwareAddress: undefined,
};

function server(
  near: readonly NearClient[] | undefined,
  change: Partial<RealServer> = {},
): RealServer {
  return realServer({
    method: "direct",
    director: address("192.0.2.1"),
    client,
    devices: [LO, LAN, BRIDGE],
    addresses: [
      owned(LO, `${VIP}/32`),
      owned(LAN, "192.0.2.11/24"),
      owned(BRIDGE, "172.18.0.1/16"),
    ],
    routes: [route("unicast", LAN, "192.0.2.254")],
    nearClients: near,
    ...change,
  });
}

test("nearClients: a bridge has the clients' network, and the client does not answer there", () => {
  const [finding, ...others] = nearClients.examine({
    realServer: server([silent]),
  });
  assert.ok(finding);
  assert.deepEqual(others, []);
  assert.deepEqual(told(finding), ["client-not-neighbor 172.18.4.10"]);
  assert.equal(
    finding.seen,
    "answers to it leave by br-office, without a router, as if it were in the network of bridge br-office, 172.18.0.1/16; it does not answer ARP there, and requests come in by another interface",
  );
  assert.match(
    finding.cure ?? "",
    /'ip route add CLIENTNET via 192\.0\.2\.254'/,
  );
  assert.match(finding.cure ?? "", /default-address-pools/);
  assert.deepEqual(finding.evidence, []);
});

test("nearClients says of a client without --client that its connection waits", () => {
  const [finding] = nearClients.examine({
    realServer: server([{ ...silent, waits: true }], { client: undefined }),
  });
  assert.deepEqual(finding?.evidence, [
    "a connection of 172.18.4.10 waits in SYN_RECV: the client has not confirmed the answer",
  ]);
});

test("nearClients names neither a router nor containers that it does not know", () => {
  const plain = { ...BRIDGE, kind: undefined };
  const two = [
    route("unicast", LAN, "192.0.2.254"),
    route("unicast", LAN, "192.0.2.253", { metric: 10 }),
  ];
  for (const routes of [[], two]) {
    const [finding] = nearClients.examine({
      realServer: server([silent], { routes, devices: [LO, LAN, plain] }),
    });
    assert.match(finding?.cure ?? "", /CLIENTNET via ROUTER'/);
    assert.doesNotMatch(finding?.cure ?? "", /Docker/);
  }
});

test("nearClients is silent for clients that answer and without them, and rules nothing out that it could not ask for", () => {
  const answers = { ...silent, hardwareAddress: mac(9) };
  assert.deepEqual(foundOn(server([answers])), []);
  assert.deepEqual(foundOn(server([])), []);
  const examined = (one: RealServer) =>
    examine([nearClients], { realServer: one }).examined;
  assert.deepEqual(examined(server([])), ["client-not-neighbor"]);
  assert.deepEqual(examined(server(undefined)), []);
  assert.deepEqual(examined(server([], { method: "masq" })), []);
});

test("answerWays() says by which interface and router answers leave", () => {
  const known = { client, devices: [LO, LAN, BRIDGE] };
  const ways = (back: ReturnType<typeof route>) =>
    answerWays(withWays({ back }, known));
  assert.deepEqual(ways(route("unicast", BRIDGE)), [
    "answers to 172.18.4.10 leave by br-office, without a router",
  ]);
  assert.deepEqual(ways(route("unicast", LAN, "192.0.2.254")), [
    "answers to 172.18.4.10 leave by lan, through 192.0.2.254",
  ]);
  assert.deepEqual(answerWays(withWays({}, known)), []);
  assert.deepEqual(answerWays(realServer()), []);
});

test("openingsIn() finds connections in SYN_RECV only", () => {
  const text = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0
   1: 640200C0:0050 0A0412AC:C350 03 00000000:00000000 01:00000054 00000001     0        0 0 1 0
   2: 640200C0:0050 0B0412AC:C351 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0
`;
  assert.deepEqual(openingsIn(text), [
    { address: address("192.0.2.100"), port: 80, client },
  ]);
  assert.deepEqual(openingsIn(""), []);
  assert.deepEqual(openingsIn("   1: 640200C0:0050 0A04"), []);
});
