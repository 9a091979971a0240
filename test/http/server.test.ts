import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { CommandError } from "../../src/cli/errors.js";
import { withMoreTime } from "../fixtures/more-time.js";
import { eventually } from "../lab/eventually.js";
import { KnownHosts, Token, type Access } from "../../src/http/access.js";
import { Body, type Answer } from "../../src/http/body.js";
import { Broadcast, eventText } from "../../src/http/event-hub.js";
import {
  startServer,
  type HttpServer,
  type Limits,
  type Site,
} from "../../src/http/server.js";

const HERE = { host: "127.0.0.1", port: 0 };
const BODY = new Body("a 1\n");
/** Milliseconds that nothing takes, also on a slow machine. */
const PATIENCE = 60_000;

function answer(body = BODY): Answer {
  return { status: 200, contentType: "text/x-test", body };
}

function siteWith(make = () => answer()): Site {
  return {
    pages: { "/metrics": () => make() },
    hint: "the metrics are at /metrics",
  };
}

/** The port of a server. */
function portOf({ address }: HttpServer): number {
  assert.ok("port" in address);
  return address.port;
}

/** Runs a server during some work. */
async function serving(
  work: (url: string, port: number) => Promise<void>,
  site = siteWith(),
  limits?: Limits,
  access?: Access,
): Promise<void> {
  const server = await startServer(HERE, site, access, limits);
  const port = portOf(server);
  try {
    await work(`http://127.0.0.1:${port}`, port);
  } finally {
    await server.close();
  }
}

for (const [method, path, status, body] of [
  ["GET", "/metrics", 200, "a 1\n"],
  ["GET", "/metrics?x=1", 200, "a 1\n"],
  ["HEAD", "/metrics", 200, ""],
  ["GET", "/constructor", 404, "not found: the metrics are at /metrics\n"],
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
  withMoreTime((headerMilliseconds) =>
    serving(
      async (url, port) => {
        const [slow, { status }] = await Promise.all([
          exchanged(port, "GET /metrics HTTP/1.1\r\nHost: x\r\n"),
          fetch(`${url}/metrics`),
        ]);
        assert.equal(status, 200);
        assert.match(slow, /^HTTP\/1\.1 408 /);
      },
      siteWith(),
      { connections: 10, headerMilliseconds, idleMilliseconds: PATIENCE },
    ),
  ));

test("the server rejects a huge header with 431", () =>
  serving(async (_, port) => {
    const header = `X: ${"x".repeat(100_000)}\r\n\r\n`;
    assert.match(
      await exchanged(port, `GET /metrics HTTP/1.1\r\n${header}`),
      /^HTTP\/1\.1 431 /,
    );
  }));

test("the server rejects what is not HTTP with 400", () =>
  serving(async (_, port) => {
    assert.match(
      await exchanged(port, "\x16\x03\x01\x02\x00\r\n\r\n"),
      /^HTTP\/1\.1 400 /,
    );
  }));

test("the server disconnects a client that does not read", () =>
  withMoreTime((idleMilliseconds) =>
    serving(
      async (url, port) => {
        const socket = connect(port, "127.0.0.1");
        socket.on("error", () => undefined);
        socket.pause();
        socket.write("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
        try {
          await once(socket, "connect");
          // The first client has the only connection allowed.
          await assert.rejects(fetch(url));
          const again = await eventually(
            () => fetch(url).catch(() => undefined),
            (response) => response !== undefined,
            PATIENCE / 1000,
          );
          assert.equal(again?.status, 404);
        } finally {
          socket.destroy();
        }
      },
      siteWith(() => answer(new Body("a".repeat(64 * 1024 * 1024)))),
      { connections: 1, headerMilliseconds: PATIENCE, idleMilliseconds },
    ),
  ));

test("the server closes connections above the limit", () =>
  serving(
    async (_, port) => {
      const first = connect(port, "127.0.0.1");
      await once(first, "connect");
      assert.equal(await exchanged(port, "GET / HTTP/1.1\r\n\r\n"), "");
      first.destroy();
      await once(first, "close");
    },
    siteWith(),
    {
      connections: 1,
      headerMilliseconds: PATIENCE,
      idleMilliseconds: PATIENCE,
    },
  ));

test("startServer() explains that the port is in use", async () => {
  const other = createServer();
  other.listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  await assert.rejects(
    startServer({ ...HERE, port }, siteWith()),
    (error: unknown) =>
      error instanceof CommandError &&
      error.fault === `cannot listen on 127.0.0.1:${port}: the port is in use`,
  );
  other.close();
});

test("close() does not wait for idle connections", async () => {
  const server = await startServer(HERE, siteWith());
  const socket = connect(portOf(server), "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  await once(socket, "data");
  await server.close();
  socket.destroy();
});

/** Sends a request line and headers, and asks to close the connection. @returns the status */
async function statusOf(
  port: number,
  line: string,
  ...headers: readonly string[]
): Promise<number> {
  const lines = [line, ...headers, "Connection: close", "", ""];
  const text = await exchanged(port, lines.join("\r\n"));
  return Number(/^HTTP\/1\.1 (\d+) /.exec(text)?.[1]);
}

for (const [target, status] of [
  ["http://a.example/metrics", 200],
  ["HTTP://a.example:80/metrics?x=http://b/", 200],
  ["http://user@a.example/metrics", 200],
  ["http://a.example", 404],
  ["https://[::1]:1/metrics", 200],
  ["http:///metrics", 400],
  ["ftp://a.example/metrics", 400],
  ["metrics", 400],
  ["*", 400],
] as const)
  test(`the server answers GET ${target} with ${status}`, () =>
    serving(async (_, port) => {
      const got = await statusOf(port, `GET ${target} HTTP/1.1`, "Host: x");
      assert.equal(got, status);
    }));

const HOSTS = { tls: undefined, token: undefined };

for (const [host, status] of [
  ["127.0.0.1:9101", 200],
  ["[2001:db8::1]:9101", 200],
  ["localhost", 200],
  ["LOCALHOST.:80", 200],
  ["director1:9101", 200],
  ["evil.example", 421],
  ["127.0.0.1.evil.example:9101", 421],
  ["localhost@evil.example", 421],
  ["", 421],
] as const)
  test(`the server answers Host: ${host} with ${status}`, () =>
    serving(
      async (_, port) => {
        const [line, header] = ["GET /metrics HTTP/1.1", `Host: ${host}`];
        assert.equal(await statusOf(port, line, header), status);
      },
      siteWith(),
      undefined,
      { ...HOSTS, hosts: new KnownHosts(["director1"]) },
    ));

test("the server takes the host from an absolute target, not from the header", () =>
  serving(
    async (_, port) => {
      const evil = "GET http://evil.example/metrics HTTP/1.1";
      assert.equal(await statusOf(port, evil, "Host: localhost"), 421);
      const good = "GET http://localhost/metrics HTTP/1.1";
      assert.equal(await statusOf(port, good, "Host: evil.example"), 200);
    },
    siteWith(),
    undefined,
    { ...HOSTS, hosts: new KnownHosts([]) },
  ));

const SECRET = "abcdefghijklmnop+/==";
const basic = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`;

for (const [authorization, status] of [
  [`Bearer ${SECRET}`, 200],
  [`bearer ${SECRET}`, 200],
  [basic(`admin:${SECRET}`), 200],
  [basic(`:${SECRET}`), 200],
  ["Bearer abcdefghijklmnop", 401],
  [`Bearer ${SECRET}x`, 401],
  [basic("admin:wrong"), 401],
  [SECRET, 401],
  ["", 401],
  [undefined, 401],
] as const)
  test(`the server with a token answers authorization ${authorization ?? "missing"} with ${status}`, () =>
    serving(
      async (url) => {
        const headers = authorization === undefined ? {} : { authorization };
        const response = await fetch(`${url}/metrics`, { headers });
        assert.equal(response.status, status);
        const challenge = response.headers.get("www-authenticate");
        assert.equal(challenge?.includes("Basic") === true, status === 401);
      },
      siteWith(),
      undefined,
      { tls: undefined, token: new Token(SECRET), hosts: undefined },
    ));

test("every answer forbids scripts, frames and guessing of types", () =>
  serving(async (url) => {
    for (const path of ["/metrics", "/nowhere"]) {
      const { headers } = await fetch(url + path);
      assert.match(
        headers.get("content-security-policy") ?? "",
        /default-src 'none'/,
      );
      assert.equal(headers.get("x-content-type-options"), "nosniff");
      assert.equal(headers.get("x-frame-options"), "DENY");
      assert.equal(headers.get("cross-origin-resource-policy"), "same-origin");
      assert.equal(headers.get("access-control-allow-origin"), null);
    }
  }));

function siteOf(events: Broadcast): Site {
  return { pages: {}, events: { "/events": events }, hint: "none" };
}

test("Broadcast sends the welcome first, then every event", async () => {
  const hub = new Broadcast(() => Buffer.from(eventText("table", "1")), 2);
  await serving(async (url) => {
    const response = await fetch(`${url}/events`);
    assert.equal(response.headers.get("content-type"), "text/event-stream");
    hub.send(eventText("update", "2"));
    hub.keepAlive();
    hub.close();
    assert.equal(
      await response.text(),
      "event: table\ndata: 1\n\nevent: update\ndata: 2\n\n:\n\n",
    );
  }, siteOf(hub));
});

test("Broadcast refuses clients above the limit with 503", async () => {
  const hub = new Broadcast(() => Buffer.from(":\n\n"), 1);
  await serving(async (url) => {
    const first = await fetch(`${url}/events`);
    assert.equal((await fetch(`${url}/events`)).status, 503);
    assert.equal(
      (await fetch(`${url}/events`, { method: "HEAD" })).status,
      200,
    );
    await first.body?.cancel();
    await eventually(
      () => Promise.resolve(hub.size),
      (size) => size === 0,
      PATIENCE / 1000,
    );
    const again = await fetch(`${url}/events`);
    assert.equal(again.status, 200);
    hub.close();
    await again.text();
  }, siteOf(hub));
});

test("Broadcast lets little wait for a slow client, and tells it everything when it reads again", async () => {
  const welcome = eventText("table", "w");
  const hub = new Broadcast(() => Buffer.from(welcome), 2);
  const event = eventText("update", "x".repeat(100_000));
  await serving(async (_, port) => {
    const slow = connect(port, "127.0.0.1");
    slow.pause();
    slow.write("GET /events HTTP/1.1\r\nHost: x\r\n\r\n");
    await eventually(
      () => Promise.resolve(hub.size),
      (size) => size === 1,
      PATIENCE / 1000,
    );
    // Far more than the buffers of the sockets take.
    for (let i = 0; i < 1000; i++) {
      hub.send(event);
      await new Promise(setImmediate);
    }
    let received = "";
    slow.setEncoding("latin1").on("data", (chunk: string) => {
      received += chunk;
    });
    slow.resume();
    const welcomes = await eventually(
      () => Promise.resolve(received.split("data: w\n").length - 1),
      (count) => count === 2,
      PATIENCE / 1000,
    );
    assert.equal(welcomes, 2);
    assert.ok(received.length < 50_000_000, `${received.length} bytes`);
    slow.destroy();
  }, siteOf(hub));
});
