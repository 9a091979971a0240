import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { test } from "node:test";
import {
  receiveMulticast,
  type Heard,
} from "../../src/system/multicast-listener.js";

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
  const place = { group: GROUP, port: PORT, locals: ["127.0.0.1"] };
  /** The first datagram that a listener receives. */
  const listen = async () => {
    const ending = new AbortController();
    const heard: Heard[] = [];
    await receiveMulticast(place, ending.signal, (one) => {
      heard.push(one);
      ending.abort();
    });
    return heard[0];
  };
  for (const first of await Promise.all([listen(), listen()]))
    assert.deepEqual(
      [first?.from, ...(first?.data ?? [])],
      ["127.0.0.1", 0, 7],
    );
});

test("receiveMulticast() ends at once if the group can be joined on no interface", async () => {
  const never = new AbortController().signal;
  const heard: Heard[] = [];
  for (const [group, locals] of [
    [GROUP, ["192.0.2.77"]],
    [GROUP, []],
    ["ff02::81%nosuch0", ["::%nosuch0"]],
  ] as const)
    await receiveMulticast({ group, port: PORT, locals }, never, (one) =>
      heard.push(one),
    );
  assert.deepEqual(heard, []);
});

test("receiveMulticast() ends when it is aborted, also before it began", async () => {
  const place = { group: GROUP, port: PORT, locals: ["127.0.0.1"] };
  await receiveMulticast(place, AbortSignal.abort(), () => undefined);
  const ending = new AbortController();
  const end = receiveMulticast(place, ending.signal, () => undefined);
  ending.abort();
  await end;
});
