import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { SessionManager } from "../../src/store/etcd/member.js";

test("SessionManager pings a connection, but not one that was destroyed, which would end the process", async () => {
  const server = createServer();
  server.on("stream", (stream) => {
    stream.respond({ ":status": 200 });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const manager = new SessionManager(`http://127.0.0.1:${port}`, {}, {});
  const stream = await manager.request("GET", "/", {}, {});
  stream.on("error", () => undefined);
  const { session } = stream;
  assert.ok(session);
  await new Promise<void>((resolve, reject) => {
    session.ping((error) => {
      if (error) reject(error);
      else resolve();
    });
  });
  session.destroy();
  assert.equal(
    session.ping(() => undefined),
    false,
  );
  server.close();
});
