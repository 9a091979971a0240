import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAddress } from "../../src/ipvs/address.js";
import { NetworkClient } from "../../src/rtnl/client.js";
import { NetworkRefusal } from "../../src/rtnl/errors.js";
import { hexOf } from "../fixtures/hex.js";
import * as recorded from "../fixtures/rtnl.js";
import { networkOf } from "./scripted-network.js";

function address(text: string): Uint8Array {
  const bytes = parseAddress(text);
  assert.ok(bytes, text);
  return bytes;
}

test("NetworkClient sends the same dump requests as iproute2", async () => {
  const { client, link } = networkOf(() => []);
  await client.devices();
  await client.addresses();
  await client.routes();
  await client.rules();
  await client.neighbors();
  const zeros = (bytes: number) => "00".repeat(bytes);
  assert.deepEqual(
    link.sent
      .flat()
      .map(({ type, flags, payload }) => [type, flags, hexOf(payload)]),
    [
      [18, 0x305, zeros(16)],
      [22, 0x305, zeros(8)],
      [26, 0x305, zeros(12)],
      [34, 0x305, zeros(12)],
      [30, 0x305, zeros(12)],
    ],
  );
});

test("NetworkClient.open() opens a link of the routing family, and the end of the block closes it", async () => {
  const { link } = networkOf(() => [recorded.LO]);
  const opened: number[] = [];
  {
    using client = await NetworkClient.open({
      openLink(family) {
        opened.push(family);
        return link;
      },
    });
    assert.equal((await client.devices()).length, 1);
    assert.equal(link.closed, 0);
  }
  assert.deepEqual(opened, [0]);
  assert.equal(link.closed, 1);
});

test("a dump of NetworkClient keeps the order, and its entries do not overwrite each other", async () => {
  const { client } = networkOf(({ type }) =>
    type === 18
      ? [recorded.LO, recorded.LAN, recorded.IPIP]
      : [recorded.LOCAL_ROUTE, recorded.ANSWER, recorded.HOPS_ROUTE],
  );
  const devices = await client.devices();
  assert.deepEqual(
    devices.map(({ index, name, kind }) => [index, name, kind]),
    [
      [1, "lo", undefined],
      [3, "lan", "veth"],
      [5, "ipip7", "ipip"],
    ],
  );
  // The cached copy is skipped.
  const routes = await client.routes();
  assert.deepEqual(
    routes.map(({ type, hops }) => [type, hops.length]),
    [
      ["local", 1],
      ["unicast", 2],
    ],
  );
});

test("a refused dump of NetworkClient names the operation", async () => {
  const { client } = networkOf(() => 1);
  await assert.rejects(client.routes(), (error) => {
    assert.ok(error instanceof NetworkRefusal);
    assert.equal(error.message, "Cannot read the routes: EPERM");
    assert.equal(error.advice, "run it as root, or with CAP_NET_ADMIN");
    return true;
  });
});

test("routeTo() sends the same bytes as ip route get", async () => {
  const { client, link } = networkOf(() => [recorded.ANSWER]);
  const to = address("198.51.100.9");
  await client.routeTo({ to });
  const from = address("192.0.2.20");
  await client.routeTo({ to, from, incoming: 3, mark: 7, asConfigured: true });
  await client.routeTo({ to: address("2001:db8::1"), outgoing: 3 });
  assert.deepEqual(
    link.sent.flat().map(({ type, payload }) => [type, hexOf(payload)]),
    [
      [26, "02200000000000000010000008000100c6336409"],
      [
        26,
        "02202000000000000030000008000100c633640908000200c000021408000300030000000800100007000000",
      ],
      [
        26,
        "0a800000000000000010000014000100" +
          "20010db8000000000000000000000001" +
          "0800040003000000",
      ],
    ],
  );
});

test("routeTo() returns a reason for some errnos and throws the others", async () => {
  const to = address("198.51.100.9");
  const asked = (errno: number) =>
    networkOf(() => errno).client.routeTo({ to });
  assert.equal(await asked(101), "no route");
  assert.equal(await asked(113), "unreachable");
  assert.equal(await asked(13), "prohibited");
  assert.equal(await asked(22), "dropped");
  assert.equal(await asked(18), "wrong interface");
  await assert.rejects(asked(19), /Cannot look up a route: ENODEV/);
});

test("routeTo() reads the reason from a route of type unreachable, which IPv6 returns", async () => {
  const at = recorded.UNREACHABLE_ROUTE6.length - 8 - 24;
  const withErrno = (errno: number) => {
    const payload = Buffer.from(recorded.UNREACHABLE_ROUTE6);
    // rta_error is the fourth number of the attribute that begins with 24000c00
    const start = payload.indexOf(Buffer.from("24000c00", "hex"));
    assert.ok(start > 0 && start < at + 24);
    payload.writeInt32LE(-errno, start + 4 + 12);
    return payload;
  };
  const asked = (errno: number) =>
    networkOf(() => [withErrno(errno)]).client.routeTo({
      to: address("2001:db8:9::1"),
    });
  assert.equal(await asked(101), "no route");
  assert.equal(await asked(113), "unreachable");
  assert.equal(await asked(13), "prohibited");
});
