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

/** Serves while something is done. */
async function serving(
  work: (url: string, server: MetricsServer) => Promise<void>,
  make = () => answer(),
  limits?: Limits,
): Promise<void> {
  const server = await startServer(HERE, make, limits);
  try {
    await work(`http://127.0.0.1:${server.place.port}`, server);
  } finally {
    await server.close();
  }
}

for (const [method, path, status, body] of [
  ["GET", "/metrics", 200, "a 1\n"],
  ["GET", "/metrics?x=1", 200, "a 1\n"],
  ["HEAD", "/metrics", 200, ""],
  ["GET", "/", 200, "ipvsadm: the metrics are at /metrics\n"],
  ["GET", "/metrics/", 404, "there is nothing but /metrics\n"],
  ["GET", "/../etc/passwd", 404, "there is nothing but /metrics\n"],
  ["POST", "/metrics", 405, "only GET and HEAD are answered\n"],
  ["DELETE", "/", 405, "only GET and HEAD are answered\n"],
] as const)
  test(`${method} ${path} is ${status}`, () =>
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
  test(`who accepts ${accepted} gets it ${zipped ? "" : "not "}compressed`, () =>
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

test("it is compressed once for all", async () => {
  const body = new Body("a 1\n");
  assert.equal(await body.zipped, await body.zipped);
  assert.equal(gunzipSync(await body.zipped).toString(), "a 1\n");
});

/** What a server answers to bytes, until it closes the connection. */
async function exchanged(port: number, bytes: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.write(bytes);
  return text(socket);
}

test("who sends no whole header in time is shown the door, and others are served meanwhile", () =>
  serving(
    async (url, { place }) => {
      const slow = exchanged(
        place.port,
        "GET /metrics HTTP/1.1\r\nHost: x\r\n",
      );
      assert.equal((await fetch(`${url}/metrics`)).status, 200);
      assert.match(await slow, /^HTTP\/1\.1 408 /);
    },
    () => answer(),
    { connections: 10, headerMilliseconds: 100, idleMilliseconds: 5000 },
  ));

test("a header beyond all measure is refused", () =>
  serving(async (_, { place }) => {
    const header = `X: ${"x".repeat(100_000)}\r\n\r\n`;
    assert.match(
      await exchanged(place.port, `GET /metrics HTTP/1.1\r\n${header}`),
      /^HTTP\/1\.1 431 /,
    );
  }));

test("what is no HTTP is refused", () =>
  serving(async (_, { place }) => {
    assert.match(
      await exchanged(place.port, "\x16\x03\x01\x02\x00\r\n\r\n"),
      /^HTTP\/1\.1 400 /,
    );
  }));

test("who does not read what is written is let go", () =>
  serving(
    async (url, { place }) => {
      const socket = connect(place.port, "127.0.0.1");
      socket.on("error", () => undefined);
      socket.pause();
      socket.write("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
      await once(socket, "connect");
      // It has the only connection that there may be.
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

test("more connections than there may be are closed", () =>
  serving(
    async (_, { place }) => {
      const first = connect(place.port, "127.0.0.1");
      await once(first, "connect");
      assert.equal(await exchanged(place.port, "GET / HTTP/1.1\r\n\r\n"), "");
      first.destroy();
      await once(first, "close");
    },
    () => answer(),
    { connections: 1, headerMilliseconds: 5000, idleMilliseconds: 5000 },
  ));

test("a port that is in use is said to be", async () => {
  const other = createServer();
  other.listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  await assert.rejects(
    startServer({ ...HERE, port }, () => answer()),
    (error: unknown) =>
      error instanceof CommandError &&
      error.fault === `cannot listen at 127.0.0.1:${port}: the port is in use`,
  );
  other.close();
});

test("connections that are kept do not keep the server", async () => {
  const server = await startServer(HERE, () => answer());
  const socket = connect(server.place.port, "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  await once(socket, "data");
  await server.close();
  socket.destroy();
});
