import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Io } from "../../../src/runtime/io.js";
import type { Names } from "../../../src/system/names.js";
import { numberedConnection } from "../../fixtures/connections.js";
import { invalidities } from "../../document/schema.js";
import { terminal, subcommand } from "../run-subcommand.js";
import { golden, goldenName, WIDTHS } from "../golden.js";
import { fileOf, SAMPLE } from "./sample.js";

/** Runs the subcommand on a sample of connections. */
function shown(t: TestContext, words: string, io: Partial<Io> = {}) {
  const connectionsFile = fileOf(t);
  const line = `connections ${words}`.trimEnd();
  return subcommand(line, { io: { connectionsFile, ...io } });
}

/** The clients with their ports, in the order of the output. */
async function clients(t: TestContext, words: string): Promise<string[]> {
  const { stdout, stderr, status } = await shown(t, `${words} -o csv`);
  assert.deepEqual([stderr, status], ["", 0], words);
  const lines = stdout.split("\n").slice(1, -1);
  return lines.map((line) => {
    const [address = "", port = ""] = line.split(",").slice(7, 9);
    return `${address}:${port === "" ? 0 : port}`;
  });
}

for (const [name, words] of [
  ["connections", "--color never"],
  ["connections-templates", "--templates --color never"],
  ["connections-top", "--top client --color never"],
] as const)
  for (const width of WIDTHS)
    test(`${name} as a table at width ${width ?? "unlimited"}`, async (t) => {
      const { stdout, stderr, status } = await shown(t, words, terminal(width));
      assert.deepEqual([stderr, status], ["", 0]);
      golden(goldenName(`connections/${name}`, width), stdout);
    });

for (const format of ["json", "ndjson", "csv", "yaml"])
  for (const [name, words] of [
    ["connections", "--templates"],
    ["connections-top", "--top service"],
    ["connections-count", "--count"],
  ] as const)
    test(`${name} as ${format}`, async (t) => {
      const { stdout } = await shown(t, `${words} -o ${format}`);
      golden(`connections/${name}.${format}`, stdout);
      assert.doesNotMatch(stdout, /[^\P{Cc}\n]/u);
      if (format === "json") assert.ok(JSON.parse(stdout));
    });

test("connections prints the same text with colors, and colors the states", async (t) => {
  const plain = await shown(t, "--templates", terminal(80));
  const { stdout } = await shown(t, "--templates --color always", terminal(80));
  assert.match(stdout, /\x1b\[32mESTABLISHED/); // eslint-disable-line no-control-regex
  assert.match(stdout, /\x1b\[33mSYN_RECV/); // eslint-disable-line no-control-regex
  assert.match(stdout, /\x1b\[2mTIME_WAIT/); // eslint-disable-line no-control-regex
  assert.equal(
    stdout.replace(/\x1b\[[0-9;]*m/g, ""), // eslint-disable-line no-control-regex
    plain.stdout.replace(/\x1b\[[0-9;]*m/g, ""), // eslint-disable-line no-control-regex
  );
});

const ONE = "198.51.100.7:40000";
const TWO = "198.51.100.7:40001";
const OTHER = "203.0.113.250:65535";

for (const [words, expected] of [
  ["--client 203.0.113.250", [OTHER, OTHER]],
  ["--client 203.0.113.0/24", [OTHER, OTHER]],
  ["--client 2001:db8::/32", ["2001:db8:cafe::7:40000"]],
  ["--client 10.0.0.0/8", []],
  ["--client 10.0.0.0/8,203.0.113.250 --state time_wait", [OTHER]],
  ["tcp/192.0.2.1:443", [OTHER]],
  [
    "192.0.2.1:443 --service tcp/[2001:db8::1]:80",
    [OTHER, "2001:db8:cafe::7:40000"],
  ],
  ["udp/192.0.2.1", [ONE]],
  ["192.0.2.1:80", [ONE, TWO, OTHER, "198.51.100.7:500"]],
  ["udp/192.0.2.1:0", [ONE]],
  ["udp/192.0.2.1:80", []],
  ["--server 10.0.0.12", [TWO, OTHER]],
  ["--server 10.0.0.12:8080 --client 198.51.100.7", [TWO]],
  ["--server 10.0.0.12:80", []],
  ["--server fd00::/8", ["2001:db8:cafe::7:40000"]],
  ["--protocol udp,sctp", [ONE, ONE]],
  ["--state SYN_RECV --state s-ack-sent", [TWO, ONE]],
  ["--expires-within 1m", [OTHER, ONE]],
  ["--expires-within 42", [OTHER]],
  ["--expires-within 41s", []],
  [
    "--templates-only",
    ["198.51.100.7:0", "198.51.100.7:0", "2001:db8:cafe::7:0"],
  ],
  ["--templates --state assured", ["198.51.100.7:0", "2001:db8:cafe::7:0"]],
  ["--templates fwm/7", ["198.51.100.7:0"]],
  ["--templates-only fwm6/8", ["2001:db8:cafe::7:0"]],
  ["--limit 2", [ONE, TWO]],
] as const)
  test(`connections selects by ${words}`, async (t) => {
    assert.deepEqual(await clients(t, words), expected);
  });

test("connections --count counts templates only with --templates", async (t) => {
  const count = async (words: string) =>
    (await shown(t, `--count ${words}`)).stdout;
  assert.deepEqual(
    [
      await count(""),
      await count("--templates"),
      await count("--templates-only"),
      await count("--client 203.0.113.250"),
    ],
    ["8\n", "11\n", "3\n", "2\n"],
  );
});

for (const [words, first] of [
  ["--top client", "198.51.100.7 5"],
  ["--top service", "tcp/192.0.2.1:80 3"],
  ["--top server", "10.0.0.11:8080 5"],
  ["--top state", "ESTABLISHED 3"],
  ["--top client --templates-only", "198.51.100.7 2"],
  ["--top service --templates fwm/7", "fwm/7 1"],
] as const)
  test(`connections ${words} puts the largest group first`, async (t) => {
    const { stdout } = await shown(t, `${words} -o csv`);
    const [titles = "", line = ""] = stdout.split("\n");
    const fields = line.split(",");
    const connections = titles.split(",").indexOf("connections");
    assert.equal(`${fields[0] ?? ""} ${fields[connections] ?? ""}`, first);
  });

test("connections --top reads the number of lines after the group", async (t) => {
  const lines = async (words: string) =>
    (await shown(t, `${words} -o ndjson`)).stdout.split("\n").length - 1;
  assert.equal(await lines("--top client 2"), 2);
  assert.equal(await lines("--top client --limit 1"), 1);
  assert.equal(await lines("--top client"), 3);
});

const NAMES: Names = {
  hostAddress: () => Promise.resolve(undefined),
  hostName: (text) =>
    Promise.resolve(
      { "192.0.2.1": "web.example", "198.51.100.7": "evil\x1b[31m.example" }[
        text
      ],
    ),
  servicePort: () => undefined,
  serviceName: (port, transport) =>
    port === 80 && transport === "tcp" ? "http" : undefined,
};

test("connections --names shows names without control characters", async (t) => {
  const { stdout } = await shown(t, "--limit 1 --names", { names: NAMES });
  assert.match(
    stdout,
    /^evil\?\[31m\.example:40000 +tcp\/web\.example:http +10\.0\.0\.11:8080 /m,
  );
  const json = await shown(t, "--limit 1 --names -o ndjson", { names: NAMES });
  const record = JSON.parse(json.stdout) as Record<string, unknown>;
  assert.equal(record["client"], "198.51.100.7:40000");
  assert.equal(record["clientName"], "evil?[31m.example:40000");
  assert.equal(record["serviceName"], "tcp/web.example:http");
  const top = await shown(t, "--top client --names", { names: NAMES });
  assert.match(top.stdout, /^evil\?\[31m\.example +5 /m);
  const words = "--top client --limit 1 --names -o ndjson";
  const group = JSON.parse(
    (await shown(t, words, { names: NAMES })).stdout,
  ) as Record<string, unknown>;
  assert.equal(group["client"], "198.51.100.7");
  assert.equal(group["clientName"], "evil?[31m.example");
});

for (const [words, part, schema] of [
  ["", "connection", "connections"],
  ["--templates", "connection", "connections"],
  ["--templates --names", "connection", "connections"],
  ["--top client", "group", "connections-top"],
  ["--top service --templates --names", "group", "connections-top"],
  ["--top server", "group", "connections-top"],
  ["--top state", "group", "connections-top"],
  ["--count", "counts", "connections-count"],
] as const)
  test(`connections ${words || "without options"} has the same fields in ndjson and CSV, and those of its schema`, async (t) => {
    const io = { names: NAMES };
    const { stdout } = await shown(t, `-o ndjson ${words}`.trimEnd(), io);
    const records = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    for (const record of records)
      assert.deepEqual(
        invalidities(record, `#/$defs/${part}`, `ipvsadm/${schema}/1`),
        [],
      );
    const csv = await shown(t, `-o csv ${words}`.trimEnd(), io);
    const [titles = ""] = csv.stdout.split("\n");
    const known = new Set(titles.split(","));
    for (const name of records.flatMap((record) => Object.keys(record)))
      assert.ok(known.has(name), name);
  });

test("connections looks up no names without --names", async (t) => {
  const fail = () => assert.fail("a name was looked up");
  const { status } = await shown(t, "", {
    names: { ...NAMES, hostName: fail, serviceName: fail },
  });
  assert.equal(status, 0);
});

test("connections shows a wider text of a later chunk in full", async (t) => {
  const many = Array.from({ length: 1000 }, (_, i) =>
    numberedConnection(50 * i),
  );
  const file = fileOf(t, [...many, ...SAMPLE]);
  const { stdout } = await subcommand("connections", {
    io: { connectionsFile: file },
  });
  const lines = stdout.split("\n");
  assert.match(
    stdout,
    /^\[2001:db8:cafe::7\]:40000 +tcp\/\[2001:db8::1\]:80 +\[fd00::11\]:8080 +ESTABLISHED +100:00$/m,
  );
  assert.equal(lines.at(-2), "1008 connections; 3 templates not shown");
});

test("connections prints titles and the number 0 if there are none", async (t) => {
  const { stdout } = await subcommand("connections", {
    io: { connectionsFile: fileOf(t, []) },
  });
  assert.equal(
    stdout,
    "Client  Service  Server  State  Expires\n0 connections\n",
  );
});

for (const [words, status, line] of [
  [
    "--client 10.0.0/8",
    2,
    /--client 10\.0\.0\/8: expected an address such as .* or a network/,
  ],
  ["--client 10.0.0.0/33", 2, /--client 10\.0\.0\.0\/33: expected/],
  ["--server 10.0.0.0/x", 2, /--server 10\.0\.0\.0\/x: expected a real server/],
  ["--service nonsense/1", 2, /nonsense\/1 is not a service: write/],
  [
    "--state syn_rcv",
    2,
    /--state syn_rcv: unknown state: did you mean SYN_RECV\?/,
  ],
  [
    "--state nonsense",
    2,
    /--state nonsense: unknown state; known states: ESTABLISHED, /,
  ],
  ["--protocol icmp", 2, /--protocol icmp is not one of tcp, udp, sctp/],
  [
    "--expires-within 5x",
    2,
    /--expires-within 5x: expected a duration such as 90s/,
  ],
  ["--expires-within -5", 2, /--expires-within -5: expected a duration/],
  ["--limit 0", 2, /--limit 0: expected a whole number of at least 1/],
  ["--limit 1.5", 2, /--limit 1\.5: expected a whole number/],
  ["--top clients", 2, /--top clients is not one of .* did you mean client\?/],
  ["--top client --count", 2, /--top and --count exclude each other/],
  [
    "fwm/7",
    2,
    /fwm\/7: the kernel reports the firewall mark of templates, but not of connections/,
  ],
] as const)
  test(`connections ${words} fails with one line`, async (t) => {
    const outcome = await shown(t, words);
    assert.equal(outcome.stdout, "");
    assert.equal(outcome.status, status);
    assert.match(outcome.stderr, line);
    assert.match(outcome.stderr, /^ipvsadm: [^\n]+\n$/);
  });

test("connections explains why it cannot read the file", async () => {
  const lineFor = async (connectionsFile: string) => {
    const { stdout, stderr, status } = await subcommand("connections", {
      io: { connectionsFile },
    });
    return `${stdout}${status} ${stderr}`;
  };
  assert.equal(
    await lineFor("/nonexistent/ip_vs_conn"),
    "3 ipvsadm: cannot open /nonexistent/ip_vs_conn: No such file or directory: load the module as root with 'modprobe ip_vs'\n",
  );
  assert.equal(await lineFor("/tmp"), "1 ipvsadm: cannot read /tmp: EISDIR\n");
});
