import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { test } from "node:test";
import {
  emptyDatagramBytes,
  openSizedDatagrams,
} from "../../src/system/sized-datagrams.js";

/** A port of loopback at which a socket gets datagrams. */
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
  test(`openSizedDatagrams() sends packets of a size, and tells answers from silence, with ${host}`, async () => {
    const socket = await receiver(family, host);
    const { port } = socket.address();
    const datagrams = await openSizedDatagrams(host, port);
    assert.ok(datagrams);
    const got: number[] = [];
    socket.on("message", (message) => got.push(message.length));
    const smallest = emptyDatagramBytes(host);
    const arrival = once(socket, "message");
    assert.equal(await datagrams.send(smallest + 100, 300), "no answer");
    await arrival;
    assert.deepEqual(got, [100]);
    socket.close();
    await once(socket, "close");
    // Nobody has the port any more.
    for (const bytes of [smallest, 1500, 9000])
      assert.equal(await datagrams.send(bytes, 60_000), "answered");
    assert.equal(datagrams.lateAnswers, 0);
    datagrams.close();
  });
}

test("openSizedDatagrams() counts an answer that nobody waits for", async (t) => {
  const socket = await receiver("udp4", "127.0.0.1");
  t.after(() => socket.close());
  const { port } = socket.address();
  const datagrams = await openSizedDatagrams("127.0.0.1", port);
  assert.ok(datagrams);
  const arrival = once(socket, "message") as Promise<
    [Buffer, { port: number; address: string }]
  >;
  assert.equal(await datagrams.send(100, 50), "no answer");
  const [, from] = await arrival;
  socket.send("late", from.port, from.address);
  const end = performance.now() + 60_000;
  while (datagrams.lateAnswers === 0 && performance.now() < end)
    await new Promise(setImmediate);
  assert.equal(datagrams.lateAnswers, 1);
  datagrams.close();
});

test("openSizedDatagrams() has no socket from an address that the machine does not have", async () => {
  assert.equal(
    await openSizedDatagrams("127.0.0.1", 9, "192.0.2.1"),
    undefined,
  );
});
