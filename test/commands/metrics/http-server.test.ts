import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { CommandError } from "../../../src/cli/errors.js";
import { eventually } from "../../lab/eventually.js";
import {
  Body,
  startServer,
  type Answer,
  type Limits,
  type MetricsServer,
} from "../../../src/commands/metrics/http-server.js";

const HERE = { host: "127.0.0.1", port: 0 };
const BODY = new Body("a 1\n");

function answer(body = BODY): Promise<Answer> {
  return Promise.resolve({ status: 200, contentType: "text/x-test", body });
}

/** Runs a server during some work. */
async function serving(
  work: (url: string, server: MetricsServer) => Promise<void>,
  make = () => answer(),
  limits?: Limits,
): Promise<void> {
  const server = await startServer(HERE, make, limits);
  try {
    await work(`http://127.0.0.1:${server.address.port}`, server);
  } finally {
    await server.close();
  }
}

for (const [method, path, status, body] of [
  ["GET", "/metrics", 200, "a 1\n"],
  ["GET", "/metrics?x=1", 200, "a 1\n"],
  ["HEAD", "/metrics", 200, ""],
  ["GET", "/", 200, "ipvsadm: the metrics are at /metrics\n"],
  ["GET", "/metrics/", 404, "not found: the metrics are at /metrics\n"],
  ["GET", "/../etc/passwd", 404, "not found: the metrics are at /metrics\n"],
  ["POST", "/metrics", 405, "only GET and HEAD are supported\n"],
  ["DELETE", "/", 405, "only GET and HEAD are supported\n"],
] as const)
  test(`the server answers ${method} ${path} with ${status}`, () =>
    serving(async (url) => {
      const headers = { "accept-encoding": "identity" };
      const response = await fetch(url + path, { method, headers });
      assert.equal(response.status, status);
      assert.equal(await response.text(), body);
      assert.equal(response.headers.get("allow") !== null, status === 405);
      if (path === "/metrics" && status === 200) {
        assert.equal(response.headers.get("content-length"), "4");
        assert.equal(response.headers.get("content-type"), "text/x-test");
      }
    }));

for (const [accepted, zipped] of [
  ["gzip", true],
  ["deflate, gzip;q=0.5", true],
  ["gzip;q=0", false],
  ["identity", false],
  ["x-gzip-like", false],
] as const)
  test(`the server ${zipped ? "compresses" : "does not compress"} for accept-encoding: ${accepted}`, () =>
    serving(async (url) => {
      const response = await fetch(`${url}/metrics`, {
        headers: { "accept-encoding": accepted },
      });
      assert.equal(
        response.headers.get("content-encoding"),
        zipped ? "gzip" : null,
      );
      assert.equal(await response.text(), "a 1\n");
    }));

test("Body compresses only once", async () => {
  const body = new Body("a 1\n");
  assert.equal(await body.zipped, await body.zipped);
  assert.equal(gunzipSync(await body.zipped).toString(), "a 1\n");
});

/** Sends bytes. @returns the answer until the server closes the connection */
async function exchanged(port: number, bytes: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.write(bytes);
  return text(socket);
}

test("the server ends a slow request with 408, and serves others meanwhile", () =>
  serving(
    async (url, { address }) => {
      const slow = exchanged(
        address.port,
        "GET /metrics HTTP/1.1\r\nHost: x\r\n",
      );
      assert.equal((await fetch(`${url}/metrics`)).status, 200);
      assert.match(await slow, /^HTTP\/1\.1 408 /);
    },
    () => answer(),
    { connections: 10, headerMilliseconds: 100, idleMilliseconds: 5000 },
  ));

test("the server rejects a huge header with 431", () =>
  serving(async (_, { address }) => {
    const header = `X: ${"x".repeat(100_000)}\r\n\r\n`;
    assert.match(
      await exchanged(address.port, `GET /metrics HTTP/1.1\r\n${header}`),
      /^HTTP\/1\.1 431 /,
    );
  }));

test("the server rejects what is not HTTP with 400", () =>
  serving(async (_, { address }) => {
    assert.match(
      await exchanged(address.port, "\x16\x03\x01\x02\x00\r\n\r\n"),
      /^HTTP\/1\.1 400 /,
    );
  }));

test("the server disconnects a client that does not read", () =>
  serving(
    async (url, { address }) => {
      const socket = connect(address.port, "127.0.0.1");
      socket.on("error", () => undefined);
      socket.pause();
      socket.write("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
      await once(socket, "connect");
      // The first client has the only connection allowed.
      await assert.rejects(fetch(url));
      const again = await eventually(
        () => fetch(url).catch(() => undefined),
        (response) => response !== undefined,
      );
      assert.equal(again?.status, 200);
      socket.destroy();
    },
    () => answer(new Body("a".repeat(64 * 1024 * 1024))),
    { connections: 1, headerMilliseconds: 5000, idleMilliseconds: 300 },
  ));

test("the server closes connections above the limit", () =>
  serving(
    async (_, { address }) => {
      const first = connect(address.port, "127.0.0.1");
      await once(first, "connect");
      assert.equal(await exchanged(address.port, "GET / HTTP/1.1\r\n\r\n"), "");
      first.destroy();
      await once(first, "close");
    },
    () => answer(),
    { connections: 1, headerMilliseconds: 5000, idleMilliseconds: 5000 },
  ));

test("startServer() explains that the port is in use", async () => {
  const other = createServer();
  other.listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  await assert.rejects(
    startServer({ ...HERE, port }, () => answer()),
    (error: unknown) =>
      error instanceof CommandError &&
      error.fault === `cannot listen on 127.0.0.1:${port}: the port is in use`,
  );
  other.close();
});

test("close() does not wait for idle connections", async () => {
  const server = await startServer(HERE, () => answer());
  const socket = connect(server.address.port, "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  await once(socket, "data");
  await server.close();
  socket.destroy();
});
