import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { test } from "node:test";
import { probeTcp } from "../../src/system/tcp-probe.js";

test("probeTcp() connects from the source that it is given", async (t) => {
  const server = createServer().listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  for (const from of ["127.0.0.9", undefined]) {
    const connected = once(server, "connection");
    assert.equal(await probeTcp("127.0.0.1", port, 60_000, from), "accepted");
    const [socket] = (await connected) as [Socket];
    assert.equal(socket.remoteAddress, from ?? "127.0.0.1");
    socket.destroy();
  }
});

test("probeTcp() sends nothing from an address that the machine does not have", async () => {
  assert.equal(
    await probeTcp("127.0.0.1", 9, 60_000, "192.0.2.1"),
    "unreachable",
  );
});
