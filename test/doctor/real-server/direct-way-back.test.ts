import assert from "node:assert/strict";
import { test } from "node:test";
import { directWayBack } from "../../../src/doctor/real-server/direct-way-back.js";
import { mayAsk } from "../../../src/doctor/real-server/gather.js";
import type {
  RealServer,
  Station,
} from "../../../src/doctor/real-server/real-server.js";
import { address } from "../../fixtures/entries.js";
import { mac } from "../made-up-network.js";
import { told } from "../made-up.js";
import {
  foundOn,
  LAN,
  LO,
  owned,
  realServer,
  route,
  VIP,
  withWays,
} from "./made-up.js";

const director = address("192.0.2.1");
const client = address("198.51.100.7");
const DIRECT = { method: "direct", director, client } as const;

function station(text: string, last: number | undefined): Station {
  return {
    address: address(text),
    device: LAN.index,
    hardwareAddress: last === undefined ? undefined : mac(last),
  };
}

function found(router: string, stations: Station[] = [], change = {}) {
  const back = route("unicast", LAN, router);
  const server = withWays({ back }, { ...DIRECT, routes: [back], stations });
  return directWayBack.examine({ realServer: { ...server, ...change } });
}

test("directWayBack: answers of direct routing through the director are dropped there", () => {
  const [finding, ...others] = found("192.0.2.1");
  assert.ok(finding);
  assert.deepEqual(others, []);
  assert.deepEqual(told(finding), [
    "way-back-through-director 198.51.100.7",
    "ip route replace default via ROUTER",
  ]);
  assert.equal(finding.seen, "answers go through the director, 192.0.2.1");
  assert.equal(finding.certainty, "likely");
});

test("directWayBack knows the director by its hardware address", () => {
  const at = (last: number) => [
    station("192.0.2.9", last),
    station("192.0.2.1", 1),
  ];
  assert.match(
    found("192.0.2.9", at(1))[0]?.seen ?? "",
    /^answers go through 192\.0\.2\.9, which has the hardware address \S+ of the director$/,
  );
  assert.match(
    found("192.0.2.9", at(1))[0]?.evidence?.[1] ?? "",
    /^it is no fault if .* \(proxy ARP\): 'ip neighbor show dev lan' /,
  );
  assert.equal(found("192.0.2.1")[0]?.evidence?.length, 1);
  assert.deepEqual(found("192.0.2.9", at(9)), []);
});

test("directWayBack: a router that nobody answers for", () => {
  const [finding] = found("192.0.2.9", [station("192.0.2.9", undefined)]);
  assert.ok(finding);
  assert.deepEqual(told(finding), [
    "router-silent 198.51.100.7",
    "ip route replace default via ROUTER",
  ]);
  assert.equal(
    finding.seen,
    "answers go through 192.0.2.9, which does not answer ARP on lan",
  );
});

test("directWayBack: a tunnel has no neighbors, and a route with several routers is not replaced", () => {
  const silent = [station("192.0.2.9", undefined)];
  const devices = [{ ...LAN, asksNeighbors: false }];
  assert.deepEqual(found("192.0.2.9", silent, { devices }), []);
  const one = route("unicast", LAN, "192.0.2.8");
  const other = route("unicast", LAN, "192.0.2.9");
  const back = { ...one, hops: [...one.hops, ...other.hops] };
  const server = withWays({ back }, { ...DIRECT, stations: silent });
  const [finding] = directWayBack.examine({ realServer: server });
  assert.equal(finding?.id, "router-silent");
  assert.deepEqual(finding.fix, []);
});

test("directWayBack changes the route that is used, in its table", () => {
  const back = route("unicast", LAN, "192.0.2.1", { table: 77 });
  const used = {
    ...back,
    target: address("198.51.100.0"),
    prefixBits: 24,
  };
  const server = withWays({ back }, { ...DIRECT, routes: [used] });
  const [finding] = directWayBack.examine({ realServer: server });
  assert.equal(
    finding?.fix[0]?.command,
    "ip route replace 198.51.100.0/24 via ROUTER table 77",
  );
});

test("directWayBack looks at the default route if no client is known", () => {
  const routes = [route("unicast", LAN, "192.0.2.1")];
  const given = { ...DIRECT, client: undefined, routes };
  assert.deepEqual(foundOn(realServer(given)), [
    [
      "way-back-through-director default route",
      "ip route replace default via ROUTER",
    ],
  ]);
});

test("directWayBack is silent for other routers, without a method, and for clients in the server's network", () => {
  assert.deepEqual(found("192.0.2.9"), []);
  assert.deepEqual(found("192.0.2.9", [station("192.0.2.9", 9)]), []);
  assert.deepEqual(found("192.0.2.1", [], { method: undefined }), []);
  assert.deepEqual(found("192.0.2.1", [], { method: "masq" }), []);
  const back = route("unicast", LAN);
  assert.deepEqual(foundOn(withWays({ back }, DIRECT)), []);
});

test("directWayBack: a director with IPv6 does not check the source of what it forwards", () => {
  const six = {
    ...DIRECT,
    director: address("2001:db8:2::1"),
    client: address("2001:db8:1::7"),
  };
  const back = route("unicast", LAN, "2001:db8:2::1");
  const server = withWays({ back }, { ...six, routes: [] });
  assert.deepEqual(directWayBack.examine({ realServer: server }), []);
});

test("mayAsk() refuses questions that would come from a virtual address, and those of IPv6 without a link-local address", () => {
  const router = address("192.0.2.9");
  const may = (server: RealServer, asked = router) =>
    mayAsk(server, asked, LAN.index);
  const own = owned(LAN, "192.0.2.11/24");
  const virtual = owned(LAN, `${VIP}/24`);
  const onLo = owned(LO, `${VIP}/32`);
  assert.ok(may(realServer({ addresses: [onLo, own] })));
  assert.ok(!may(realServer({ addresses: [onLo] })));
  assert.ok(!may(realServer({ addresses: [virtual] })));
  const router6 = address("2001:db8::9");
  const own6 = owned(LAN, "2001:db8::11/64");
  const linkLocal = owned(LAN, "fe80::11/64", { scope: "link" });
  assert.ok(!may(realServer({ addresses: [own6] }), router6));
  assert.ok(may(realServer({ addresses: [own6, linkLocal] }), router6));
});
