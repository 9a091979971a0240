import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { test } from "node:test";
import { probeUdp } from "../../src/system/udp-probe.js";

/** Receives datagrams at a port of loopback. */
async function receiver(family: "udp4" | "udp6", host: string) {
  const socket = createSocket(family);
  socket.bind(0, host);
  await once(socket, "listening");
  return socket;
}

for (const [family, host] of [
  ["udp4", "127.0.0.1"],
  ["udp6", "::1"],
] as const) {
  test(`probeUdp() tells a refusal, an answer and silence, with ${host}`, async () => {
    const socket = await receiver(family, host);
    const { port } = socket.address();
    assert.equal(await probeUdp(host, port, 300), "no answer");
    socket.on("message", (message, { port: to, address }) => {
      assert.equal(message.length, 0);
      socket.send("answer", to, address);
    });
    assert.equal(await probeUdp(host, port, 60_000), "answered");
    socket.close();
    await once(socket, "close");
    assert.equal(await probeUdp(host, port, 60_000), "refused");
  });
}

test("probeUdp() takes an answer that came while the process was paused", async (t) => {
  const socket = await receiver("udp4", "127.0.0.1");
  t.after(() => socket.close());
  socket.on("message", (_, { port, address }) => {
    socket.send("answer", port, address);
    const end = performance.now() + 100;
    while (performance.now() < end);
  });
  const { port } = socket.address();
  assert.equal(await probeUdp("127.0.0.1", port, 50), "answered");
});

test("probeUdp() sends from the source that it is given", async (t) => {
  const socket = await receiver("udp4", "127.0.0.1");
  t.after(() => socket.close());
  const senders = new Set<string>();
  socket.on("message", (_, { port, address }) => {
    senders.add(address);
    socket.send("answer", port, address);
  });
  const { port } = socket.address();
  const probe = (from: string) => probeUdp("127.0.0.1", port, 60_000, from);
  assert.equal(await probe("127.0.0.9"), "answered");
  assert.deepEqual([...senders], ["127.0.0.9"]);
  assert.equal(await probe("192.0.2.1"), "unreachable");
});

test("probeUdp() sends nothing where there is no way", async () => {
  // The broadcast address needs a permission that the socket does not ask for.
  assert.equal(await probeUdp("255.255.255.255", 9, 60_000), "unreachable");
});
