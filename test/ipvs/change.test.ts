import assert from "node:assert/strict";
import { test } from "node:test";
import { INET, INET6, parseIpv6 } from "../../src/ipvs/address.js";
import type { Change } from "../../src/ipvs/change.js";
import {
  BACKUP,
  DIRECT_ROUTING,
  IPIP,
  MASQUERADING,
  MASTER,
  ONE_PACKET,
  PERSISTENT,
  TCP,
  TUNNELING,
  TUNNEL_CHECKSUM,
  TUNNEL_GUE,
  UDP,
  type ServerSettings,
} from "../../src/ipvs/model.js";
import { split } from "../fixtures/edit.js";
import { hex, hexOf } from "../fixtures/hex.js";
import * as original from "../fixtures/requests.js";
import { clientOf, FAMILY } from "./scripted-client.js";

/*
 * Compares the client's requests with those of the original: src/ipvs/change.ts and the encoding
 * half of src/ipvs/codec.ts.
 */

const WEB = {
  family: INET,
  protocol: TCP,
  address: Uint8Array.of(192, 0, 2, 1),
  port: 80,
} as const;
const DNS = {
  family: INET6,
  protocol: UDP,
  address: parseIpv6("2001:db8::1") ?? hex(""),
  port: 53,
} as const;
const MARK = { family: INET6, firewallMark: 7 } as const;
const NETMASK = Uint8Array.of(255, 255, 255, 255);
const PLAIN: ServerSettings = {
  forwarding: DIRECT_ROUTING,
  weight: 1,
  tunnel: IPIP,
  upperThreshold: 0,
  lowerThreshold: 0,
};

/** The bytes of a change, from the generic netlink header on. */
async function bytesOf(change: Change): Promise<Uint8Array> {
  const { client, asked } = await clientOf();
  await client.apply([change]);
  const [request] = asked;
  assert.ok(request);
  assert.equal(request.type, FAMILY);
  const ofThread = /^st(art|op)-daemon$/.test(change.command);
  assert.equal(request.expects, ofThread ? "ack" : "errors");
  return request.bytes;
}

async function asks(change: Change, recorded: Uint8Array): Promise<void> {
  assert.equal(hexOf(await bytesOf(change)), hexOf(recorded));
}

/** The attributes of a request that changes a real server, by type. */
function parts(request: Uint8Array) {
  const byType = new Map(
    Array.from(split(request.subarray(4)), ({ type, value }) => [
      type & 0x3fff,
      hexOf(value),
    ]),
  );
  return { service: byType.get(1) ?? "", server: byType.get(2) ?? "" };
}

/**
 * The server attributes of the original, and of its service attributes only the key. The key comes
 * first there.
 */
async function asksForServer(
  change: Change,
  recorded: Uint8Array,
): Promise<void> {
  const ours = await bytesOf(change);
  assert.equal(hexOf(ours.subarray(0, 4)), hexOf(recorded.subarray(0, 4)));
  assert.equal(parts(ours).server, parts(recorded).server);
  const { service } = parts(ours);
  assert.ok(service !== "" && parts(recorded).service.startsWith(service));
}

test("addService() sends the same bytes as the original", () =>
  asks(
    {
      command: "add-service",
      service: WEB,
      settings: {
        scheduler: "wrr",
        flags: PERSISTENT,
        timeoutSeconds: 300,
        netmask: Uint8Array.of(255, 255, 255, 0),
      },
    },
    original.ADD_SERVICE,
  ));

test("addService() sends the same bytes as the original for IPv6 and a persistence engine", () =>
  asks(
    {
      command: "add-service",
      service: DNS,
      settings: {
        scheduler: "wlc",
        persistenceEngine: "sip",
        flags: PERSISTENT | ONE_PACKET,
        timeoutSeconds: 360,
        netmask: 128,
      },
    },
    original.ADD_IPV6_SERVICE,
  ));

test("addService() sends the same bytes as the original for a firewall mark", () =>
  asks(
    {
      command: "add-service",
      service: MARK,
      settings: {
        scheduler: "wlc",
        flags: 8,
        timeoutSeconds: 0,
        netmask: 128,
      },
    },
    original.ADD_MARK,
  ));

test("editService() sends the same bytes as the original", () =>
  asks(
    {
      command: "edit-service",
      service: WEB,
      settings: {
        scheduler: "wlc",
        flags: 0,
        timeoutSeconds: 0,
        netmask: NETMASK,
      },
    },
    original.EDIT_SERVICE,
  ));

test("deleteService() sends only the key of the service", async () => {
  const ours = await bytesOf({ command: "delete-service", service: WEB });
  assert.equal(hexOf(ours.subarray(0, 4)), "03010000");
  const { service } = parts(ours);
  assert.ok(service !== "");
  assert.ok(parts(original.DELETE_SERVICE).service.startsWith(service));
});

test("addServer() sends the same bytes as the original for masquerading", () =>
  asksForServer(
    {
      command: "add-server",
      service: WEB,
      server: { address: Uint8Array.of(192, 0, 2, 10), port: 8080 },
      settings: { ...PLAIN, forwarding: MASQUERADING, weight: 5 },
    },
    original.ADD_MASQUERADED,
  ));

test("addServer() sends the same bytes as the original for direct routing", () =>
  asksForServer(
    {
      command: "add-server",
      service: WEB,
      server: { address: Uint8Array.of(192, 0, 2, 11), port: 80 },
      settings: PLAIN,
    },
    original.ADD_ROUTED,
  ));

test("addServer() sends the same bytes as the original for a tunnel with thresholds", () =>
  asksForServer(
    {
      command: "add-server",
      service: MARK,
      server: { address: Uint8Array.of(192, 0, 2, 10), port: 0 },
      settings: {
        forwarding: TUNNELING,
        weight: 1,
        tunnel: { type: TUNNEL_GUE, port: 5555, flags: TUNNEL_CHECKSUM },
        upperThreshold: 10,
        lowerThreshold: 5,
      },
    },
    original.ADD_TUNNELLED,
  ));

test("editServer() sends the same bytes as addServer(), except for the command", async () => {
  const server = { address: Uint8Array.of(192, 0, 2, 11), port: 80 };
  const change = { service: WEB, server, settings: PLAIN };
  const added = hexOf(await bytesOf({ command: "add-server", ...change }));
  const edited = hexOf(await bytesOf({ command: "edit-server", ...change }));
  assert.equal(edited.slice(0, 8), "06010000");
  assert.equal(edited.slice(8), added.slice(8));
});

test("deleteServer() sends only the keys of service and server", async () => {
  const server = { address: Uint8Array.of(192, 0, 2, 11), port: 80 };
  const ours = await bytesOf({
    command: "delete-server",
    service: WEB,
    server,
  });
  assert.equal(hexOf(ours.subarray(0, 4)), "07010000");
  const { service, server: named } = parts(ours);
  assert.ok(named !== "");
  assert.ok(parts(original.DELETE_SERVER).service.startsWith(service));
  assert.ok(parts(original.DELETE_SERVER).server.startsWith(named));
});

test("addServer() sends only the forwarding method of the connection flags", async () => {
  const ours = await bytesOf({
    command: "add-server",
    service: WEB,
    server: { address: Uint8Array.of(192, 0, 2, 11), port: 80 },
    settings: { ...PLAIN, forwarding: 0x100 | DIRECT_ROUTING },
  });
  assert.equal(parts(ours).server, parts(original.ADD_ROUTED).server);
});

test("setTimeouts() sends the same bytes as the original", () =>
  asks(
    {
      command: "set",
      timeouts: { tcpSeconds: 1, tcpFinSeconds: 2, udpSeconds: 3 },
    },
    original.SET_TIMEOUTS,
  ));

test("startDaemon() sends the same bytes as the original", () =>
  asks(
    {
      command: "start-daemon",
      daemon: { state: MASTER, multicastInterface: "lo", syncId: 9 },
    },
    original.START_DAEMON,
  ));

test("startDaemon() sends port and length in host byte order", async () => {
  const bytes = await bytesOf({
    command: "start-daemon",
    daemon: {
      state: BACKUP,
      multicastInterface: "eth0",
      syncId: 0,
      maximumLength: 1200,
      multicastGroup: Uint8Array.of(224, 0, 0, 9),
      multicastPort: 9000,
      multicastTtl: 5,
    },
  });
  const expected = hex(`
    09010000
    4000 0380
      0800 0100 02000000
      0900 0200 6574683000 000000
      0800 0300 00000000
      0600 0400 b004 0000
      0800 0500 e0000009
      0600 0700 2823 0000
      0500 0800 05 000000
  `);
  assert.equal(hexOf(bytes), hexOf(expected));
});

test("startDaemon() sends an IPv6 group as a different attribute", async () => {
  const bytes = await bytesOf({
    command: "start-daemon",
    daemon: {
      state: MASTER,
      multicastInterface: "lo",
      syncId: 0,
      multicastGroup: parseIpv6("ff02::9") ?? hex(""),
    },
  });
  assert.match(hexOf(bytes), /14000600ff02(00){13}09$/);
});

test("stopDaemon() sends the same bytes as the original", () =>
  asks(
    {
      command: "stop-daemon",
      daemon: { state: MASTER, multicastInterface: "", syncId: 0 },
    },
    original.STOP_DAEMON,
  ));

test("zero() sends the same bytes as the original for all services", () =>
  asks({ command: "zero" }, original.ZERO));

test("zero() sends only the key of one service", async () => {
  const bytes = await bytesOf({ command: "zero", service: MARK });
  assert.equal(
    hexOf(bytes),
    "10010000" + "14000180" + "060001000a000000" + "0800050007000000",
  );
});

test("flush() sends the same bytes as the original", () =>
  asks({ command: "flush" }, original.FLUSH));

test("the reading methods of IpvsClient send the same bytes as the original", async () => {
  const { client, asked, opening } = await clientOf();
  assert.equal(hexOf(opening[1]?.bytes ?? hex("")), hexOf(original.GET_INFO));
  await assert.rejects(client.timeouts()); // there is no reply
  await client.daemons();
  await client.services();
  await client.serversOf([WEB, DNS, MARK]);
  assert.deepEqual(
    asked.map(({ expects, bytes }) => [expects, hexOf(bytes)]),
    [
      ["one", hexOf(original.GET_TIMEOUTS)],
      ["dump", hexOf(original.GET_DAEMONS)],
      ["dump", hexOf(original.GET_SERVICES)],
      ["dump", hexOf(original.GET_SERVERS)],
      ["dump", hexOf(original.GET_IPV6_SERVERS)],
      ["dump", hexOf(original.GET_MARK_SERVERS)],
    ],
  );
});
