import assert from "node:assert/strict";
import { test } from "node:test";
import { MalformedReply } from "../../src/netlink/errors.js";
import { attributesOf } from "../../src/netlink/generic.js";
import { spanOf, type Span } from "../../src/netlink/link.js";
import { formatAddress, INET, INET6 } from "../../src/ipvs/address.js";
import {
  readDaemon,
  readDestination,
  readInfo,
  readService,
  readTimeouts,
} from "../../src/ipvs/codec.js";
import {
  DIRECT_ROUTING,
  MASQUERADING,
  TCP,
  TUNNELING,
  UDP,
} from "../../src/ipvs/model.js";
import { edited, join, replaced, split, without } from "../fixtures/edit.js";
import { beginnings, bytesIn, hex, hexOf } from "../fixtures/hex.js";
import * as replies from "../fixtures/replies.js";

/** The attributes of a recorded reply. */
function attributesIn(reply: Uint8Array): Span {
  return attributesOf(spanOf(reply));
}

const read = {
  service: (reply: Uint8Array) => readService(attributesIn(reply)),
  server: (reply: Uint8Array) => readDestination(attributesIn(reply), INET6),
};

const COUNTERS = [
  "connections",
  "inPackets",
  "outPackets",
  "inBytes",
  "outBytes",
  "connectionsPerSecond",
  "inPacketsPerSecond",
  "outPacketsPerSecond",
  "inBytesPerSecond",
  "outBytesPerSecond",
] as const;
const NO_COUNTERS = Object.fromEntries(COUNTERS.map((name) => [name, 0n]));

const [STATS, FAMILY, STATS64] = [10, 11, 12];

/**
 * A recorded reply with known counters: 1, 2, … in the 32-bit ones, and 2 ** 40 more in the 64-bit
 * ones.
 */
function counted(reply: Uint8Array): Uint8Array {
  return edited(reply, (attributes) =>
    attributes.map(({ type, value }) => {
      if (type !== STATS && type !== STATS64) return { type, value };
      const counters = Array.from(split(value), (counter) => {
        const padding = counter.value.length === 0;
        if (!padding) counter.value[0] = counter.type;
        if (!padding && type === STATS64) counter.value[5] = 1;
        return counter;
      });
      return { type, value: join(counters) };
    }),
  );
}

test("readService() decodes an IPv4 service", () => {
  assert.deepEqual(read.service(replies.SERVICE), {
    key: {
      family: INET,
      protocol: TCP,
      address: Uint8Array.of(192, 0, 2, 1),
      port: 80,
    },
    settings: {
      scheduler: "wrr",
      flags: 3,
      timeoutSeconds: 300,
      netmask: Uint8Array.of(255, 255, 255, 0),
    },
    stats: NO_COUNTERS,
  });
});

test("readService() decodes an IPv6 service with prefix length and persistence engine", () => {
  assert.deepEqual(read.service(replies.IPV6_SERVICE), {
    key: {
      family: INET6,
      protocol: UDP,
      address: hex("20010db8000000000000000000000001"),
      port: 53,
    },
    settings: {
      scheduler: "wlc",
      persistenceEngine: "sip",
      flags: 7,
      timeoutSeconds: 360,
      netmask: 128,
    },
    stats: NO_COUNTERS,
  });
});

test("readService() decodes a firewall mark, which has no address", () => {
  assert.deepEqual(read.service(replies.MARK_SERVICE).key, {
    family: INET6,
    firewallMark: 7,
  });
});

test("readDestination() decodes a real server", () => {
  assert.deepEqual(read.server(replies.MASQUERADED_SERVER), {
    key: { address: Uint8Array.of(192, 0, 2, 10), port: 8080 },
    settings: {
      forwarding: MASQUERADING,
      weight: 5,
      tunnel: { type: 0, port: 0, flags: 0 },
      upperThreshold: 0,
      lowerThreshold: 0,
    },
    activeConnections: 0,
    inactiveConnections: 0,
    persistentConnections: 0,
    stats: NO_COUNTERS,
  });
  const routed = read.server(replies.ROUTED_SERVER);
  assert.equal(routed.settings.forwarding, DIRECT_ROUTING);
});

test("readDestination() decodes a tunneled server: a big-endian port, and a family of its own", () => {
  const { key, settings } = read.server(replies.TUNNELLED_SERVER);
  assert.deepEqual(key, { address: Uint8Array.of(192, 0, 2, 10), port: 0 });
  assert.deepEqual(settings, {
    forwarding: TUNNELING,
    weight: 1,
    tunnel: { type: 1, port: 5555, flags: 1 },
    upperThreshold: 10,
    lowerThreshold: 5,
  });
});

test("readDestination() decodes 32-bit connection counts", () => {
  const counts = [
    [7, hex("ffffffff")],
    [8, hex("02000000")],
    [9, hex("03000000")],
  ] as const;
  const reply = counts.reduce(
    (reply, [type, value]) => replaced(reply, type, value),
    replies.MASQUERADED_SERVER,
  );
  const server = read.server(reply);
  assert.equal(server.activeConnections, 0xffffffff);
  assert.equal(server.inactiveConnections, 2);
  assert.equal(server.persistentConnections, 3);
});

test("readDestination() uses the service's family if the message has none, as before Linux 3.18", () => {
  const old = attributesIn(without(replies.MASQUERADED_SERVER, FAMILY));
  const address = (family: typeof INET | typeof INET6) =>
    formatAddress(readDestination(old, family).key.address);
  assert.equal(address(INET), "192.0.2.10");
  assert.equal(address(INET6), "c000:20a::");
});

test("readDestination() decodes a server of an older kernel without tunnel attributes", () => {
  const old = [13, 14, 15].reduce(without, replies.TUNNELLED_SERVER);
  assert.deepEqual(read.server(old).settings.tunnel, {
    type: 0,
    port: 0,
    flags: 0,
  });
});

test("readDestination() takes only the forwarding method from the connection flags", () => {
  const flagged = replaced(replies.ROUTED_SERVER, 3, hex("03010000"));
  assert.equal(read.server(flagged).settings.forwarding, DIRECT_ROUTING);
});

test("readService() and readDestination() prefer 64-bit counters", () => {
  const whole = Object.fromEntries(
    COUNTERS.map((name, i) => [name, 2n ** 40n + BigInt(i + 1)]),
  );
  const service = read.service(counted(replies.SERVICE));
  assert.deepEqual(service.stats, whole);
  const server = read.server(counted(replies.MASQUERADED_SERVER));
  assert.deepEqual(server.stats, whole);
});

test("readService() and readDestination() accept 32-bit counters of older kernels", () => {
  const cut = Object.fromEntries(
    COUNTERS.map((name, i) => [name, BigInt(i + 1)]),
  );
  const old = without(counted(replies.SERVICE), STATS64);
  assert.deepEqual(read.service(old).stats, cut);
});

test("readTimeouts() decodes the timeouts", () => {
  assert.deepEqual(readTimeouts(attributesIn(replies.TIMEOUTS)), {
    tcpSeconds: 1,
    tcpFinSeconds: 2,
    udpSeconds: 3,
  });
});

test("readTimeouts() returns 0 for UDP if the kernel has no UDP support", () => {
  const { bytes, start } = attributesIn(replies.TIMEOUTS);
  const attributes = { bytes, start, end: start + 16 };
  assert.equal(readTimeouts(attributes).udpSeconds, 0);
});

test("readInfo() decodes the version of the module", () => {
  assert.deepEqual(readInfo(attributesIn(replies.INFO)), {
    version: 0x010201,
    connectionTableSize: 4096,
  });
});

// struct nlattr by struct nlattr, as ip_vs_genl_fill_daemon() writes them (Linux 6.1).
const DAEMON = `
  4000 0300
    0800 0100 02000000  # state
    0900 0200 6574683000 000000  # interface
    0800 0300 ff000000  # sync id
    0600 0400 c005 0000  # maximum length, in host order
    0600 0700 9022 0000  # port, in host order
    0500 0800 01 000000  # ttl
    0800 0500 e0000051  # group
`;

test("readDaemon() decodes a sync daemon", () => {
  assert.deepEqual(readDaemon(spanOf(hex(DAEMON))), {
    state: 2,
    multicastInterface: "eth0",
    syncId: 255,
    maximumLength: 1472,
    multicastGroup: Uint8Array.of(224, 0, 0, 81),
    multicastPort: 8848,
    multicastTtl: 1,
  });
});

test("readDaemon() decodes an IPv6 multicast group", () => {
  const group = "ff020000000000000000000000000081";
  const bytes = hex(
    DAEMON.replace("4000", "4c00").replace(
      "0800 0500 e0000051",
      `1400 0600 ${group}`,
    ),
  );
  assert.equal(
    hexOf(readDaemon(spanOf(bytes)).multicastGroup ?? hex("")),
    group,
  );
});

test("readDaemon() decodes a sync daemon before Linux 4.3, without length, group, port and TTL", () => {
  const old = hex(
    "2000 0300 0800 0100 01000000 0900 0200 6574683000000000 0800 0300 00000000",
  );
  assert.deepEqual(readDaemon(spanOf(old)), {
    state: 1,
    multicastInterface: "eth0",
    syncId: 0,
  });
});

test("readDaemon() rejects a state other than master and backup", () => {
  for (const state of ["00000000", "03000000"])
    assert.throws(
      () => readDaemon(spanOf(hex(DAEMON.replace("02000000", state)))),
      MalformedReply,
    );
});

test("the decoders reject a reply cut short at any byte", () => {
  const server = (attributes: Span) => readDestination(attributes, INET);
  const readers = [
    [attributesIn(replies.SERVICE), readService],
    [attributesIn(replies.IPV6_SERVICE), readService],
    [attributesIn(replies.MARK_SERVICE), readService],
    [attributesIn(replies.MASQUERADED_SERVER), server],
    [attributesIn(replies.TUNNELLED_SERVER), server],
    [attributesIn(replies.INFO), readInfo],
    [spanOf(hex(DAEMON)), readDaemon],
  ] as const;
  for (const [reply, reader] of readers)
    for (const cut of beginnings(bytesIn(reply)))
      assert.throws(
        () => reader(spanOf(cut)),
        MalformedReply,
        `${cut.length} bytes`,
      );
});

test("readTimeouts() rejects a reply cut short inside an attribute", () => {
  // Cut between two attributes, only the length of the message shows the fault.
  for (const cut of beginnings(bytesIn(attributesIn(replies.TIMEOUTS))))
    if (cut.length % 8 !== 0)
      assert.throws(() => readTimeouts(spanOf(cut)), MalformedReply);
});

test("readService() names a required field that is missing", () => {
  const service = (type: number) => () =>
    read.service(without(replies.SERVICE, type));
  assert.throws(service(1), /family is missing/);
  assert.throws(service(2), /protocol is missing/);
  assert.throws(service(3), /address is missing/);
  assert.throws(service(4), /port is missing/);
  assert.throws(service(6), /scheduler is missing/);
  assert.throws(service(7), /flags is missing/);
  assert.throws(service(8), /timeoutSeconds is missing/);
  assert.throws(service(9), /netmask is missing/);
});

test("readDestination() requires address, port, forwarding method and weight", () => {
  const server = (type: number) => () =>
    read.server(without(replies.ROUTED_SERVER, type));
  assert.throws(server(1), /address is missing/);
  assert.throws(server(2), /port is missing/);
  assert.throws(server(3), /forwarding is missing/);
  assert.throws(server(4), /weight is missing/);
});

test("readService() rejects a service without counters", () => {
  const bare = [10, 12].reduce(without, replies.SERVICE);
  assert.throws(() => read.service(bare), /connections is missing/);
});

test("readService() rejects an unknown family or protocol", () => {
  const family = replaced(replies.SERVICE, 1, hex("0300"));
  assert.throws(() => read.service(family), /address family 3/);
  const protocol = replaced(replies.SERVICE, 2, hex("0100"));
  assert.throws(() => read.service(protocol), /protocol 1/);
});
