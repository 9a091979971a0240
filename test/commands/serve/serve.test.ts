import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { request as httpRequest } from "node:http";
import { get } from "node:https";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, test } from "node:test";
import { formatSelector } from "../../../src/grammar/selector.js";
import { systemClock } from "../../../src/system/clock.js";
import type { UpdateEvent } from "../../../src/page/events.js";
import { TopConnections } from "../../../src/commands/serve/top-connections.js";
import { runIn } from "../../classic/scripted-io.js";
import { GET_SERVICE, scriptedKernel } from "../../classic/scripted-kernel.js";
import { invalidities } from "../../document/schema.js";
import { withConnections } from "./connections-file.js";
import { TCP, type ServiceWithServers } from "../../../src/ipvs/model.js";
import {
  addressKey,
  serverEntry,
  serviceEntry,
} from "../../fixtures/entries.js";
import { answersFrom, kernelWith } from "../../fixtures/table-kernel.js";
import { SAMPLE } from "../list/sample.js";
import { DemoKernel } from "../../page/demo-kernel.js";
import { subcommand } from "../run-subcommand.js";
import { serving, startServe } from "./run-serve.js";

const folder = mkdtempSync(join(tmpdir(), "ipvsadm-serve-"));
after(() => {
  rmSync(folder, { recursive: true });
});

/** Validates a document of serve. */
function assertValid(document: unknown, schema: string): void {
  const [id = "", part = ""] = schema.split(/(?=#)/);
  assert.deepEqual(invalidities(document, part, id), []);
}

/**
 * Reads events.
 *
 * @param count of events to read, the first one included
 * @param began called after the first event. Those that came together with it are not counted
 */
async function eventsFrom(
  url: string,
  count: number,
  began: () => void = () => undefined,
): Promise<{ name: string; data: unknown }[]> {
  const response = await fetch(`${url}/api/v1/events`);
  assert.ok(response.body);
  let received = "";
  const found = () =>
    Array.from(received.matchAll(/^event: (\w+)\ndata: (.*)\n\n/gm));
  let enough: number | undefined;
  for await (const chunk of response.body.pipeThrough(
    new TextDecoderStream(),
  )) {
    received += chunk;
    if (enough === undefined && found().length > 0) {
      enough = found().length + count - 1;
      began();
    }
    if (enough !== undefined && found().length >= enough) break;
  }
  return found().map(([, name = "", data = ""]) => ({
    name,
    data: JSON.parse(data) as unknown,
  }));
}

test("serve serves the table, the metrics and the page from one reading", () =>
  serving(kernelWith(SAMPLE), async (url) => {
    const table = await fetch(`${url}/api/v1/table`);
    assert.equal(table.headers.get("content-type"), "application/json");
    const { stdout } = await subcommand("list -o json", {
      link: kernelWith(SAMPLE),
    });
    const body = await table.text();
    assert.equal(body, stdout);
    assert.deepEqual(invalidities(JSON.parse(body)), []);
    const metrics = await fetch(`${url}/metrics`);
    assert.match(await metrics.text(), /^ipvs_up 1$/m);
    const page = await fetch(`${url}/`);
    assert.match(page.headers.get("content-type") ?? "", /^text\/html/);
    assert.match(await page.text(), /^<!doctype html>/);
  }));

test("the page is small, allows only its own script and style, and names no other site", () =>
  serving(kernelWith(SAMPLE), async (url) => {
    const response = await fetch(url);
    const html = await response.text();
    assert.ok(Buffer.byteLength(html) < 200_000, `${html.length} bytes`);
    const policy = response.headers.get("content-security-policy") ?? "";
    assert.match(policy, /default-src 'none'; script-src 'sha256-[^ ;]+'; /);
    assert.doesNotMatch(policy, /unsafe|https?:|\*/);
    assert.doesNotMatch(html, /(src|href)="(https?:)?\/\//);
    assert.doesNotMatch(html, / (style|on\w+)="/);
    assert.match(html, /The MIT License/);
  }));

test("the events of serve are valid: the table first, then what changed", async () => {
  const kernel = new DemoKernel(3, 2);
  await serving(
    kernel.link,
    async (url) => {
      const events = await eventsFrom(url, 3, () => {
        kernel.setWeight(1, 0, 0);
      });
      const [first, ...others] = events.map(({ name }) => name);
      assert.equal(first, "table");
      assert.deepEqual(new Set(others), new Set(["update"]));
      const [table, ...updates] = events.map(({ data }) => data);
      assertValid(table, "ipvsadm/events/1");
      for (const update of updates)
        assertValid(update, "ipvsadm/events/1#/$defs/update");
      const changes = updates.flatMap(
        (update) =>
          (update as { changes?: { to: unknown; service: string }[] })
            .changes ?? [],
      );
      assert.deepEqual(
        changes.map(({ service, to }) => [service, to]),
        [[formatSelector(kernel.table[1]!.key), { weight: 0 }]], // eslint-disable-line @typescript-eslint/no-non-null-assertion
      );
    },
    "serve --interval 0.5",
  );
});

test("serve does not report a service as removed that a dump skipped", async () => {
  const [a, b, c] = [1, 2, 3].map((port) =>
    serviceEntry(addressKey(TCP, "192.0.2.1", port)),
  ) as [ServiceWithServers, ServiceWithServers, ServiceWithServers];
  let dumps: ServiceWithServers[][] = [];
  let answers = answersFrom([a, b, c]);
  const link = scriptedKernel((command, asked) => {
    const dump = command === GET_SERVICE ? dumps.shift() : undefined;
    if (dump) answers = answersFrom(dump);
    return answers(command, asked);
  });
  await serving(
    link,
    async (url) => {
      const events = await eventsFrom(url, 4, () => {
        // While the kernel lists the table, `a` is deleted. `b` moves to its place, which the dump has passed.
        dumps = [
          [a, c],
          [b, c],
        ];
      });
      const changes = events
        .slice(1)
        .flatMap(({ data }) => (data as UpdateEvent).changes ?? []);
      assert.deepEqual(
        changes.map(({ change, service }) => `${change} ${service}`),
        ["remove tcp/192.0.2.1:1"],
      );
    },
    "serve --interval 0.5",
  );
});

test("/api/v1/history has services, servers and machines, and is valid", async () => {
  const kernel = new DemoKernel(3, 2);
  await serving(kernel.link, async (url) => {
    const words = "service=tcp/192.0.2.1:443&servers=1&machine=10.0.0.11";
    const response = await fetch(`${url}/api/v1/history?${words}`);
    const document = (await response.json()) as { rows: object[] };
    assertValid(document, "ipvsadm/history/1");
    assert.deepEqual(
      document.rows.map((row) =>
        Object.entries(row)
          .filter(([name]) => !name.endsWith("PerSecond"))
          .map(([, value]) => value as string),
      ),
      [
        ["tcp/192.0.2.1:443"],
        ["tcp/192.0.2.1:443", "10.1.0.11:8080"],
        ["tcp/192.0.2.1:443", "10.1.0.12:8080"],
        ["10.0.0.11"],
      ],
    );
    const many = Array.from({ length: 101 }, (_, i) => `machine=10.0.0.${i}`);
    const refused = await fetch(`${url}/api/v1/history?${many.join("&")}`);
    assert.equal(refused.status, 400);
  });
});

test("/api/v1/history answers once for a service that is repeated, and refuses too many servers", () => {
  const servers = Array.from({ length: 3000 }, (_, i) =>
    serverEntry("10.0.0.11", 10_000 + i),
  );
  const table = [80, 443].map((port) =>
    serviceEntry(addressKey(TCP, "192.0.2.1", port), {}, servers),
  );
  return serving(kernelWith(table), async (url) => {
    const path = `${url}/api/v1/history?servers=1`;
    const one = "&service=tcp/192.0.2.1:443";
    const answer = await fetch(path + one.repeat(100));
    const { rows } = (await answer.json()) as { rows: object[] };
    assert.equal(rows.length, 3001);
    const both = await fetch(`${path}${one}&service=tcp/192.0.2.1:80`);
    assert.equal(both.status, 400);
    assertValid(await both.json(), "ipvsadm/error/1");
  });
});

test("/api/v1/connections/top is the document of 'connections --top'", () =>
  withConnections(folder, async (connectionsFile) => {
    const io = { connectionsFile };
    await serving(
      kernelWith(SAMPLE),
      async (url) => {
        for (const by of ["client", "service", "server", "state"]) {
          const path = `/api/v1/connections/top?by=${by}&limit=2`;
          const response = await fetch(url + path);
          const line = `connections --top ${by} 2 -o json`;
          const { stdout } = await subcommand(line, { io });
          assert.equal(await response.text(), stdout);
        }
        for (const client of ["198.51.100.7", "198.51.100.0/28", "10.0.0.1"]) {
          const response = await fetch(
            `${url}/api/v1/connections/top?by=service&client=${encodeURIComponent(client)}`,
          );
          const line = `connections --top service --client ${client} -o json`;
          const { stdout } = await subcommand(line, { io });
          assert.equal(await response.text(), stdout);
        }
        for (const query of [
          "by=x",
          "limit=0",
          "limit=101",
          "limit=1e1",
          "client=",
          "client=web",
          "client=10.0.0.0/33",
        ]) {
          const response = await fetch(
            `${url}/api/v1/connections/top?${query}`,
          );
          assert.equal(response.status, 400, query);
        }
      },
      "serve",
      io,
    );
  }));

test("/api/v1/connections/top refuses more clients than it can count in time", () =>
  withConnections(folder, async (connectionsFile) => {
    await runIn({ io: { connectionsFile } }, async (io) => {
      const top = new TopConnections(io);
      const ask = (query: string) => top.answer(new URLSearchParams(query));
      const asked = Array.from({ length: 12 }, (_, i) =>
        ask(`by=service&client=198.51.100.${i}`),
      );
      // What everybody sees is counted at any time.
      const all = ask("by=client");
      const statuses = await Promise.all(
        asked.map(async (one) => (await one).status),
      );
      assert.deepEqual(statuses, [
        ...Array.from({ length: 8 }, () => 200),
        ...Array.from({ length: 4 }, () => 503),
      ]);
      assert.equal((await all).status, 200);
      const later = await ask("by=service&client=198.51.100.11");
      assert.equal(later.status, 200);
      return 0;
    });
  }));

test("/api/v1/doctor is the document of 'doctor -o json'", () =>
  serving(kernelWith(SAMPLE), async (url) => {
    const response = await fetch(`${url}/api/v1/doctor`);
    const { stdout } = await subcommand("doctor -o json", {
      link: kernelWith(SAMPLE),
    });
    assert.equal(await response.text(), stdout);
  }));

test("serve says why the table cannot be read, and recovers", async () => {
  let loaded = false;
  const link = scriptedKernel(
    () => ({}),
    () => loaded,
  );
  await serving(
    link,
    async (url) => {
      for (const path of ["/metrics", "/api/v1/table"]) {
        const response = await fetch(url + path);
        assert.equal(response.status, 503, path);
        const body = await response.text();
        assert.match(body, /cannot reach IPVS in the kernel/);
        if (path.startsWith("/api"))
          assertValid(JSON.parse(body), "ipvsadm/error/1");
      }
      const events = await eventsFrom(url, 3, () => {
        loaded = true;
      });
      const [table, ...rest] = events;
      assertValid(table?.data, "ipvsadm/events/1");
      assert.match(
        (table?.data as { fault: string }).fault,
        /cannot reach IPVS/,
      );
      assert.equal(rest.at(-1)?.name, "update");
    },
    "serve --interval 0.5",
  );
});

test("serve ends with status 3 if it may not read the table", async () => {
  const { status, stderr } = await subcommand("serve --listen 0", {
    link: scriptedKernel(
      () => ({}),
      () => false,
    ),
    io: { mayAdministerNetworks: () => false },
  });
  assert.equal(status, 3);
  assert.match(stderr, /cannot reach IPVS in the kernel/);
});

for (const [words, status, message] of [
  ["--listen 0.0.0.0:0", 2, /everyone who reaches this address could read/],
  ["--listen [::]:0", 2, /everyone who reaches this address could read/],
  ["--listen unix:a", 2, /expected an absolute path/],
  ["--listen 0 --cert a.pem", 2, /--cert and --key go together/],
  ["--listen 0 --interval 0.1", 2, /--interval/],
  ["--listen 0 --token-file /nonexistent/t", 1, /cannot read .*No such file/],
  ["--listen unix:/nonexistent/a", 1, /the folder does not exist/],
  ["--listen 0 --cert /dev/null --key /dev/null", 1, /cannot use/],
] as const)
  test(`serve ${words} fails with one line`, async () => {
    const outcome = await subcommand(`serve ${words}`, {
      link: kernelWith(SAMPLE),
      io: { clock: systemClock },
    });
    assert.deepEqual([outcome.stdout, outcome.status], ["", status]);
    assert.match(outcome.stderr, message);
    assert.equal(outcome.stderr.split("\n").length, 2, "one line");
  });

for (const [content, message] of [
  ["", /expected one line with a token/],
  ["two words of some length", /expected one line with a token/],
  ["short", /shorter than 16 characters/],
] as const)
  test(`serve refuses the token ${JSON.stringify(content)}`, async () => {
    const file = join(folder, "bad-token");
    writeFileSync(file, content);
    const { stderr, status } = await subcommand(
      `serve --listen 0 --token-file ${file}`,
      { link: kernelWith(SAMPLE), io: { clock: systemClock } },
    );
    assert.equal(status, 1);
    assert.match(stderr, message);
  });

const TOKEN = "a-token-of-this-test";

function tokenFile(): string {
  const file = join(folder, "token");
  writeFileSync(file, `${TOKEN}\n`);
  return file;
}

test("serve with a token hides everything from those who lack it", () =>
  serving(
    kernelWith(SAMPLE),
    async (url) => {
      for (const path of ["/", "/metrics", "/api/v1/table", "/api/v1/events"]) {
        const refused = await fetch(url + path);
        assert.equal(refused.status, 401, path);
        assert.doesNotMatch(await refused.text(), /192\.0\.2/);
        const headers = { authorization: `Bearer ${TOKEN}` };
        const allowed = await fetch(url + path, { headers });
        assert.equal(allowed.status, 200, path);
        await allowed.body?.cancel();
      }
    },
    `serve --token-file ${tokenFile()}`,
  ));

test("serve warns if the token crosses the network without TLS", async () => {
  const line = `serve --token-file ${tokenFile()}`;
  const server = await startServe(kernelWith(SAMPLE), line, {}, "0.0.0.0:0");
  assert.match(await server.end(), /warning: without TLS, everyone on the/);
});

test("serve serves HTTPS, and knows the names in its certificate", async () => {
  const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  execFileSync(
    "openssl",
    `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=lb.example -addext subjectAltName=DNS:lb.example -keyout ${key} -out ${cert}`.split(
      " ",
    ),
    { stdio: "ignore" },
  );
  await serving(
    kernelWith(SAMPLE),
    async (url) => {
      assert.match(url, /^https:/);
      const statusFor = (host: string) =>
        new Promise<number | undefined>((resolve, reject) => {
          get(
            `${url}/metrics`,
            {
              headers: { host },
              ca: readFileSync(cert),
              servername: "lb.example",
            },
            (response) => {
              response.resume();
              resolve(response.statusCode);
            },
          ).on("error", reject);
        });
      assert.equal(await statusFor("lb.example"), 200);
      assert.equal(await statusFor("evil.example"), 421);
    },
    `serve --cert ${cert} --key ${key}`,
  );
});

/** Fetches a page over a Unix socket. */
function overSocket(socketPath: string): Promise<string> {
  return new Promise((resolve, reject) => {
    httpRequest(
      { socketPath, path: "/metrics", host: "any.example" },
      (response) => {
        text(response).then(resolve, reject);
      },
    )
      .on("error", reject)
      .end();
  });
}

test("serve listens on a Unix socket that only the owner and the group may use", async () => {
  const path = join(folder, "serve.sock");
  // A server that did not end properly leaves its socket.
  const other = createServer().listen(path);
  await new Promise((resolve) => other.once("listening", resolve));
  const busy = await subcommand(`serve --listen unix:${path}`, {
    link: kernelWith(SAMPLE),
    io: { clock: systemClock },
  });
  assert.match(busy.stderr, /another program listens there/);
  other.close();
  const server = await startServe(
    kernelWith(SAMPLE),
    "serve",
    {},
    `unix:${path}`,
  );
  assert.equal(server.url, `unix:${path}`);
  assert.equal(statSync(path).mode & 0o777, 0o660);
  assert.match(await overSocket(path), /^ipvs_up 1$/m);
  assert.equal(await server.end(), "");
  assert.equal(existsSync(path), false);
});

test("serve does not replace a file that is no socket", async () => {
  const path = join(folder, "file");
  writeFileSync(path, "mine");
  const { stderr, status } = await subcommand(`serve --listen unix:${path}`, {
    link: kernelWith(SAMPLE),
    io: { clock: systemClock },
  });
  assert.equal(status, 1);
  assert.match(stderr, /the file exists and is not a socket/);
  assert.equal(readFileSync(path, "utf8"), "mine");
});
