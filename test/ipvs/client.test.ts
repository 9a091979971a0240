import assert from "node:assert/strict";
import { test } from "node:test";
import { MalformedReply, SocketFault } from "../../src/netlink/errors.js";
import type { Exchange } from "../../src/netlink/exchange.js";
import { INET, INET6 } from "../../src/ipvs/address.js";
import { IpvsClient, type Change } from "../../src/ipvs/client.js";
import {
  ReplyLost,
  IpvsUnavailable,
  KernelRefusal,
} from "../../src/ipvs/errors.js";
import { MASTER, TCP } from "../../src/ipvs/model.js";
import { serverSettings } from "../../src/ipvs/defaults.js";
import { without } from "../fixtures/edit.js";
import { hex, hexOf } from "../fixtures/hex.js";
import * as replies from "../fixtures/replies.js";
import { readBy, type RawReply } from "../netlink/raw-reply.js";
import { clientOf, payloads, refused, YES } from "./scripted-client.js";

const WEB = {
  family: INET,
  protocol: TCP,
  address: Uint8Array.of(192, 0, 2, 1),
  port: 80,
} as const;
const SERVER = { address: Uint8Array.of(192, 0, 2, 10), port: 8080 };
const DELETE: Change = { command: "delete-service", service: WEB };
const FLUSH: Change = { command: "flush" };

/** Opens a client whose kernel sends these replies, one per call. */
function opened(...answers: RawReply[]): Promise<IpvsClient> {
  const exchange: Exchange = async (requests) => {
    const reply = answers.shift();
    const [first] = requests;
    return Promise.resolve(reply && first ? [readBy(first, reply)] : []);
  };
  return IpvsClient.open(exchange);
}

const FOUND = payloads(hex("01020000 0600 0100 1c00 0000"));

test("IpvsClient.open() reads the version of the module", async () => {
  const { client } = await clientOf();
  assert.deepEqual(client.info, {
    version: 0x010201,
    connectionTableSize: 4096,
  });
});

test("IpvsClient.open() throws IpvsUnavailable without the module", async () => {
  await assert.rejects(opened(refused(2)), new IpvsUnavailable(2));
});

test("IpvsClient.open() throws IpvsUnavailable without the capability", async () => {
  await assert.rejects(opened(FOUND, refused(1)), new IpvsUnavailable(1));
});

test("IpvsClient.open() rejects a module that reports no version", async () => {
  await assert.rejects(opened(FOUND, YES), MalformedReply);
});

test("IpvsClient.open() passes on a SocketFault", async () => {
  const fault = new SocketFault(97, "socket");
  await assert.rejects(
    IpvsClient.open(() => Promise.reject(fault)),
    fault,
  );
});

test("addService() and the other changes copy their arguments", async () => {
  const { client, asked } = await clientOf();
  const settings = { ...serverSettings() };
  const server = { ...SERVER, address: SERVER.address.slice() };
  const calls: Promise<unknown>[] = [];
  for (const weight of [1, 2, 3]) {
    settings.weight = weight;
    server.address[3] = weight;
    calls.push(client.editServer(WEB, server, settings));
  }
  await Promise.all(calls);
  const before = await Promise.all(
    [1, 2, 3].map(async (weight) => {
      const alone = await clientOf();
      const address = Uint8Array.of(192, 0, 2, weight);
      const given = { ...serverSettings(), weight };
      await alone.client.editServer(WEB, { ...SERVER, address }, given);
      return alone.asked;
    }),
  );
  assert.deepEqual(asked, before.flat());
});

test("apply() returns one result per change, in order", async () => {
  const answers = [YES, refused(3), { kind: "lost" } as const, YES];
  const { client } = await clientOf(() => answers.shift() ?? YES);
  const outcomes = await client.apply([FLUSH, DELETE, DELETE, FLUSH]);
  assert.deepEqual(outcomes, [
    undefined,
    new KernelRefusal(3, "delete-service", "TCP 192.0.2.1:80"),
    new ReplyLost("delete-service", "TCP 192.0.2.1:80"),
    undefined,
  ]);
});

test("apply() sends all changes in one exchange", async () => {
  const { client, asked } = await clientOf();
  await client.apply([FLUSH, DELETE, FLUSH]);
  assert.deepEqual(
    asked.map(({ bytes }) => bytes[0]),
    [17, 3, 17],
  );
});

test("apply() of an empty list returns an empty list", async () => {
  const { client } = await clientOf();
  assert.deepEqual(await client.apply([]), []);
});

test("apply() returns the kernel's explanation of a refusal", async () => {
  const { client } = await clientOf(() => refused(22, "no way"));
  const [failure] = await client.apply([FLUSH]);
  assert.ok(failure instanceof KernelRefusal);
  assert.equal(failure.explanation, "no way");
});

test("stopDaemon() treats EINTR as success", async () => {
  const { client } = await clientOf(() => refused(4));
  const daemon = { state: MASTER, multicastInterface: "", syncId: 0 } as const;
  const outcomes = await client.apply([
    { command: "stop-daemon", daemon },
    { command: "start-daemon", daemon },
  ]);
  assert.deepEqual(outcomes, [
    undefined,
    new KernelRefusal(4, "start-daemon", "master"),
  ]);
});

test("a refusal names the object of the change", async () => {
  const settings = {
    scheduler: "rr",
    flags: 0,
    timeoutSeconds: 0,
    netmask: 128,
  };
  const daemon = {
    state: MASTER,
    multicastInterface: "lo",
    syncId: 0,
  } as const;
  const subjects: [Change, string][] = [
    [{ command: "add-service", service: WEB, settings }, "TCP 192.0.2.1:80"],
    [
      { command: "delete-server", service: WEB, server: SERVER },
      "192.0.2.10:8080 of TCP 192.0.2.1:80",
    ],
    [
      { command: "zero", service: { family: INET6, firewallMark: 7 } },
      "FWM 7 IPv6",
    ],
    [{ command: "zero" }, ""],
    [FLUSH, ""],
    [{ command: "stop-daemon", daemon }, "master"],
  ];
  const { client } = await clientOf(() => refused(1));
  for (const [change, subject] of subjects) {
    const [failure] = await client.apply([change]);
    assert.equal(failure?.subject, subject);
    assert.equal(failure.command, change.command);
  }
});

test("addService() and the other changes throw their refusal", async () => {
  const { client } = await clientOf(() => refused(17));
  const settings = {
    scheduler: "rr",
    flags: 0,
    timeoutSeconds: 0,
    netmask: Uint8Array.of(255, 255, 255, 255),
  };
  await assert.rejects(
    client.addService(WEB, settings),
    new KernelRefusal(17, "add-service", "TCP 192.0.2.1:80"),
  );
});

test("every method of IpvsClient sends its own command", async () => {
  const { client, asked } = await clientOf();
  const service = {
    scheduler: "rr",
    flags: 0,
    timeoutSeconds: 0,
    netmask: 128,
  };
  const server = {
    forwarding: 0,
    weight: 1,
    tunnel: { type: 0, port: 0, flags: 0 },
    upperThreshold: 0,
    lowerThreshold: 0,
  };
  const daemon = {
    state: MASTER,
    multicastInterface: "lo",
    syncId: 0,
  } as const;
  await client.addService(WEB, service);
  await client.editService(WEB, service);
  await client.deleteService(WEB);
  await client.addServer(WEB, SERVER, server);
  await client.editServer(WEB, SERVER, server);
  await client.deleteServer(WEB, SERVER);
  await client.startDaemon(daemon);
  await client.stopDaemon(daemon);
  await client.setTimeouts({ tcpSeconds: 0, tcpFinSeconds: 0, udpSeconds: 0 });
  await client.zero(WEB);
  await client.zero();
  await client.flush();
  assert.deepEqual(
    asked.map(({ bytes }) => bytes[0]),
    [1, 2, 3, 5, 6, 7, 9, 10, 12, 16, 16, 17],
  );
});

test("services() returns services in the kernel's order", async () => {
  const { client } = await clientOf(() =>
    payloads(replies.MARK_SERVICE, replies.SERVICE),
  );
  const services = await client.services();
  assert.deepEqual(
    services.map(({ key }) => key),
    [{ family: INET6, firewallMark: 7 }, WEB],
  );
});

test("service() sends the key of the service", async () => {
  const { client, asked } = await clientOf(() => payloads(replies.SERVICE));
  assert.deepEqual((await client.service(WEB)).key, WEB);
  const [request] = asked;
  assert.equal(request?.expects, "one");
  assert.match(hexOf(request.bytes), /^04010000/);
});

test("service() throws a refusal for an unknown service", async () => {
  const { client } = await clientOf(() => refused(3));
  await assert.rejects(
    client.service(WEB),
    new KernelRefusal(3, "get-service", "TCP 192.0.2.1:80"),
  );
});

test("a reading method rejects an acknowledgement without a message", async () => {
  const { client } = await clientOf();
  await assert.rejects(client.service(WEB), MalformedReply);
  await assert.rejects(client.timeouts(), MalformedReply);
});

test("serversOf() returns one list per service, in order", async () => {
  const { client } = await clientOf(({ bytes }) =>
    hexOf(bytes).includes("0600040000500000")
      ? payloads(replies.ROUTED_SERVER, replies.MASQUERADED_SERVER)
      : payloads(replies.TUNNELLED_SERVER),
  );
  const mark = { family: INET6, firewallMark: 7 } as const;
  const lists = await client.serversOf([mark, WEB]);
  assert.deepEqual(
    lists.map((servers) => servers.map(({ key }) => key.port)),
    [[0], [80, 8080]],
  );
});

test("servers() gives a server without a family the family of its service", async () => {
  const old = without(replies.ROUTED_SERVER, 11);
  const { client } = await clientOf(() => payloads(old));
  const mark = { family: INET6, firewallMark: 7 } as const;
  const lists = await client.serversOf([WEB, mark]);
  assert.deepEqual(
    lists.flat().map(({ key }) => key.address.length),
    [4, 16],
  );
});

test("servers() rejects a server that cannot be decoded", async () => {
  const { client } = await clientOf(() => refused(12));
  await assert.rejects(client.servers(WEB), KernelRefusal);
});

test("table() of an empty table asks for no servers", async () => {
  const { client, asked } = await clientOf();
  assert.deepEqual(await client.table(), []);
  assert.equal(asked.length, 1);
});

test("timeouts() and daemons() return what the kernel reports", async () => {
  const daemon = hex(
    "0b010000 2000 0300 0800 0100 02000000 0900 0200 6574683000000000 0800 0300 09000000",
  );
  const { client } = await clientOf(({ bytes }) =>
    payloads(bytes[0] === 13 ? replies.TIMEOUTS : daemon),
  );
  assert.equal((await client.timeouts()).tcpFinSeconds, 2);
  assert.deepEqual(await client.daemons(), [
    { state: 2, multicastInterface: "eth0", syncId: 9 },
  ]);
});

test("close() waits for the replies to earlier calls", async () => {
  const happened: string[] = [];
  const opening = [FOUND, payloads(replies.INFO)];
  const exchange: Exchange = async (requests) => {
    happened.push(`${requests.length} asked`);
    const reply = opening.shift();
    await Promise.resolve();
    happened.push("answered");
    return requests.map((request) => readBy(request, reply ?? YES));
  };
  {
    await using client = await IpvsClient.open(exchange, () => {
      happened.push("closed");
    });
    happened.length = 0;
    await client.flush();
  }
  assert.deepEqual(happened, [
    "1 asked",
    "answered",
    "0 asked",
    "answered",
    "closed",
  ]);
});

test("IpvsClient.open() without close() closes nothing", async () => {
  const { client, asked } = await clientOf();
  client[Symbol.dispose]();
  await client.close();
  await client.flush();
  assert.equal(asked.length, 1);
});
