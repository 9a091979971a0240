import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { test } from "node:test";
import { receiveMulticast } from "../../src/system/multicast-listener.js";

const GROUP = "224.0.0.81";
const PORT = 18_848;

test("receiveMulticast() receives the datagrams of a group, and so does another listener", async (t) => {
  const sender = createSocket("udp4");
  t.after(() => sender.close());
  await new Promise<void>((resolve) => {
    sender.bind(0, "127.0.0.1", resolve);
  });
  sender.setMulticastInterface("127.0.0.1");
  const speaking = setInterval(() => {
    sender.send(Uint8Array.of(0, 7), PORT, GROUP);
  }, 10);
  t.after(() => {
    clearInterval(speaking);
  });
  const both = await Promise.all([
    receiveMulticast(GROUP, PORT, "127.0.0.1", 300),
    receiveMulticast(GROUP, PORT, "127.0.0.1", 300),
  ]);
  for (const [first] of both)
    assert.deepEqual(
      [first?.from, ...(first?.data ?? [])],
      ["127.0.0.1", 0, 7],
    );
});

test("receiveMulticast() returns nothing if the group cannot be joined", async () => {
  assert.deepEqual(
    await receiveMulticast(GROUP, PORT, "192.0.2.77", 60_000),
    [],
  );
});
