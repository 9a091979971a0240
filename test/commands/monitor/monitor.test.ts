import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { test } from "node:test";
import { INET } from "../../../src/ipvs/address.js";
import {
  MASQUERADING,
  PERSISTENT,
  TCP,
  UDP,
  type ServiceWithServers,
} from "../../../src/ipvs/model.js";
import type { Io } from "../../../src/runtime/io.js";
import { Progress } from "../../../src/runtime/progress.js";
import { Output } from "../../../src/cli/output.js";
import { parseArguments } from "../../../src/cli/parser.js";
import { localTime } from "../../../src/commands/monitor/change-lines.js";
import { monitorSpec } from "../../../src/commands/monitor/spec.js";
import { monitor } from "../../../src/commands/monitor/run.js";
import { watchSpec } from "../../../src/commands/watch/spec.js";
import { watch } from "../../../src/commands/watch/run.js";
import { runIn } from "../../classic/scripted-io.js";
import {
  scriptedKernel,
  GET_SERVERS,
  GET_SERVICE,
} from "../../classic/scripted-kernel.js";
import {
  addressKey,
  serverEntry,
  serviceEntry,
} from "../../fixtures/entries.js";
import { TIMEOUTS } from "../../fixtures/replies.js";
import { answersFrom } from "../../fixtures/table-kernel.js";
import { assertFollowsSchema } from "../../document/schema.js";
import { FakeClock } from "../watch/fake-clock.js";
import { subcommand } from "../run-subcommand.js";

const WEB = addressKey(TCP, "192.0.2.1", 80);
const DNS = addressKey(UDP, "2001:db8::1", 53);
const MARK = { family: INET, firewallMark: 7 } as const;

const server = (text: string, weight: number, upperThreshold = 0) =>
  serverEntry(text, 8080, { forwarding: MASQUERADING, weight, upperThreshold });

type Table = readonly ServiceWithServers[];

const START: Table = [
  serviceEntry(WEB, { scheduler: "rr" }, [
    server("10.0.0.11", 3),
    server("10.0.0.12", 1),
  ]),
];

const GET_CONFIG = 13;

/** What can be different from one run to the next. */
interface Options {
  readonly io?: Partial<Io>;
  /** The subcommand */
  readonly name?: "monitor" | "watch";
  /** The errno of every reading after the last table */
  readonly errno?: number;
}

/** Runs `monitor` on a table that changes at every interval, and ends with the last one. @returns the lines without the time */
async function monitored(
  line: string,
  tables: readonly Table[],
  { io = {}, name = "monitor", errno = 2 }: Options = {},
) {
  let reading = 0;
  const clock = new FakeClock();
  const kernel = scriptedKernel((command, asked) => {
    const table = tables[reading];
    if (!table)
      return command === GET_SERVICE || command === GET_SERVERS
        ? { errno }
        : {};
    if (command === GET_CONFIG) return { messages: [TIMEOUTS] };
    return command === GET_SERVICE || command === GET_SERVERS
      ? answersFrom(table)(command, asked)
      : {};
  });
  const outcome = runIn({ link: kernel, io }, async (io) => {
    const [spec, run] =
      name === "monitor" ? [monitorSpec, monitor] : [watchSpec, watch];
    const output = new Output(io, "never");
    try {
      const words = line === "" ? [] : line.split(" ");
      const given = parseArguments(spec, words);
      return await run(
        { given, io, output, progress: new Progress(io) },
        clock,
      );
    } catch (error) {
      return output.explain(error);
    }
  });
  const state = { ended: false };
  void outcome.finally(() => {
    state.ended = true;
  });
  while (!state.ended) {
    await turn();
    if (!clock.isWaitedFor) continue;
    reading++;
    clock.pass();
  }
  const { stdout, stderr, status } = await outcome;
  const time = localTime(clock.date());
  const lines = Buffer.from(stdout, "latin1")
    .toString()
    .split("\n")
    .filter(Boolean)
    .map((line) => {
      if (line.startsWith("{")) return line;
      assert.ok(line.startsWith(`${time} `), line);
      return line.slice(time.length + 1);
    });
  return { lines, stderr, status };
}

test("monitor prints a line for each change, and nothing while nothing changes", async () => {
  const { lines, stderr, status } = await monitored("", [
    START,
    START,
    [
      serviceEntry(
        WEB,
        { scheduler: "wrr", flags: PERSISTENT, timeoutSeconds: 300 },
        [server("10.0.0.11", 0, 50), server("10.0.0.13", 2)],
      ),
      serviceEntry(MARK, {}, [serverEntry("10.0.0.11", 0)]),
    ],
    [],
  ]);
  assert.deepEqual(lines, [
    "change tcp/192.0.2.1:80 scheduler rr → wrr, persistence none → 300",
    "change tcp/192.0.2.1:80 10.0.0.11:8080 weight 3 → 0, limits none → 50",
    "add    tcp/192.0.2.1:80 10.0.0.13:8080 masq weight 2",
    "remove tcp/192.0.2.1:80 10.0.0.12:8080 masq weight 1",
    "add    fwm/7 wlc",
    "add    fwm/7 10.0.0.11:0 direct weight 1",
    "remove tcp/192.0.2.1:80 wrr persistent 300",
    "remove tcp/192.0.2.1:80 10.0.0.11:8080 masq weight 0 limits 50",
    "remove tcp/192.0.2.1:80 10.0.0.13:8080 masq weight 2",
    "remove fwm/7 wlc",
    "remove fwm/7 10.0.0.11:0 direct weight 1",
  ]);
  assert.equal(status, 3, "the module was unloaded at the end");
  assert.match(stderr, /^ipvsadm: cannot reach IPVS in the kernel/);
});

test("monitor does not print counters and connections", async () => {
  const [service] = START;
  assert.ok(service);
  const busy = service.servers.map((server) => ({
    ...server,
    activeConnections: 17,
    stats: { ...server.stats, connections: 9n },
  }));
  const { lines } = await monitored("", [
    START,
    [{ ...service, servers: busy }],
  ]);
  assert.deepEqual(lines, []);
});

test("monitor -o ndjson prints objects that follow their schema for everything that can change", async () => {
  const mark: Table = [
    serviceEntry(MARK, { scheduler: "mh", flags: PERSISTENT }, [
      serverEntry("2001:db8::2", 0),
    ]),
  ];
  const { lines } = await monitored("-o ndjson", [START, mark, CHANGED]);
  assert.ok(lines.length >= 8);
  assertFollowsSchema(`${lines.join("\n")}\n`, "monitor -o ndjson");
});

test("monitor -o ndjson prints one object per change, with the settings before and after", async () => {
  const { lines } = await monitored("-o ndjson", [
    START,
    [
      serviceEntry(WEB, { scheduler: "rr" }, [
        server("10.0.0.11", 0),
        server("10.0.0.12", 1),
      ]),
    ],
  ]);
  assert.equal(lines.length, 1);
  const [line = ""] = lines;
  assertFollowsSchema(`${line}\n`, "monitor -o ndjson");
  const found = JSON.parse(line) as Record<string, unknown>;
  assert.ok(!Number.isNaN(Date.parse(String(found["time"]))));
  assert.deepEqual(
    [found["schema"], found["change"], found["of"]],
    ["ipvsadm/monitor/1", "change", "server"],
  );
  assert.deepEqual(
    [found["service"], found["server"]],
    ["tcp/192.0.2.1:80", "10.0.0.11:8080"],
  );
  const weightIn = (settings: unknown) =>
    (settings as { readonly weight: number }).weight;
  assert.deepEqual([weightIn(found["from"]), weightIn(found["to"])], [3, 0]);
});

const CHANGED: Table = [
  serviceEntry(WEB, { scheduler: "rr" }, [
    server("10.0.0.11", 0),
    server("10.0.0.12", 5),
  ]),
  serviceEntry(DNS, { scheduler: "sh" }, [serverEntry("2001:db8::2", 53)]),
];

const DRAINED = "change tcp/192.0.2.1:80 10.0.0.11:8080 weight 3 → 0";
const RAISED = "change tcp/192.0.2.1:80 10.0.0.12:8080 weight 1 → 5";
const ADDED = [
  "add    udp/[2001:db8::1]:53 sh",
  "add    udp/[2001:db8::1]:53 [2001:db8::2]:53 direct weight 1",
];

for (const [options, expected] of [
  ["", [DRAINED, RAISED, ...ADDED]],
  ["tcp/192.0.2.1:80", [DRAINED, RAISED]],
  ["udp/[2001:db8::1]:53", ADDED],
  ["203.0.113.7:1", []],
  ["--protocol udp", ADDED],
  ["--server 10.0.0.12", [RAISED]],
  ["--scheduler sh", ADDED],
  ["--forwarding direct", ADDED],
  ["--forwarding masq --server 10.0.0.11", [DRAINED]],
  ["--state draining", [DRAINED]],
  ["--count 1", [DRAINED]],
] as const)
  test(`monitor ${options} prints the changes that the filters select`, async () => {
    const { lines } = await monitored(options, [START, CHANGED]);
    assert.deepEqual(lines, expected);
  });

test("monitor --state draining prints that a server is drained and undrained", async () => {
  const { lines } = await monitored("--state draining", [
    START,
    CHANGED,
    START,
  ]);
  assert.deepEqual(lines, [
    DRAINED,
    "change tcp/192.0.2.1:80 10.0.0.11:8080 weight 0 → 3",
  ]);
});

test("watch --events prints the lines of monitor", async () => {
  const { lines } = await monitored("--events", [START, CHANGED], {
    name: "watch",
  });
  assert.deepEqual(lines, [DRAINED, RAISED, ...ADDED]);
  const some = await monitored(
    "--events -n 1 tcp/192.0.2.1",
    [START, CHANGED],
    {
      name: "watch",
    },
  );
  assert.deepEqual([some.lines, some.status], [[DRAINED], 0]);
});

test("monitor --names shows names, and no control characters of them", async () => {
  const names: Io["names"] = {
    hostAddress: () => Promise.resolve(undefined),
    hostName: (text) =>
      Promise.resolve(
        text === "10.0.0.11" ? "web1\x1b[2J\u202e.example" : undefined,
      ),
    servicePort: () => undefined,
    serviceName: (port) => (port === 80 ? "http" : undefined),
  };
  const { lines } = await monitored("--names -n 1", [START, CHANGED], {
    io: { names },
  });
  assert.deepEqual(lines, [
    "change tcp/192.0.2.1:http web1?[2J?.example:8080 weight 3 → 0",
  ]);
});

test("monitor escapes a scheduler that the kernel reports", async () => {
  const { lines } = await monitored("", [
    START,
    [...START, serviceEntry(DNS, { scheduler: "a\x1b[31mb" })],
  ]);
  assert.deepEqual(lines, ["add    udp/[2001:db8::1]:53 a?[31mb"]);
});

for (const [line, message] of [
  ["monitor --names -o ndjson", /--names works with the format text/],
  ["monitor -i 0", /--interval/],
  ["monitor --count 0", /--count/],
  ["monitor -o json", /--output json is not one of text, ndjson/],
  ["monitor nonsense/1", /nonsense\/1 is not a service/],
  ["monitor --state sleeping", /--state sleeping is not one of/],
  ["watch --events --reverse", /--reverse does not work with --events/],
  ["watch --events --sort bytes", /--sort does not work with --events/],
  ["watch --events --columns rate", /--columns does not work with --events/],
  ["watch --events --filter x", /--filter does not work with --events/],
  ["watch --columns size", /--columns size is not one of/],
  ["watch --columns rate -o ndjson", /--columns works with the format table/],
] as const)
  test(`${line} is refused with status 2`, async () => {
    const { stderr, stdout, status } = await subcommand(line);
    assert.deepEqual([stdout, status], ["", 2]);
    assert.match(stderr, message);
    assert.equal(stderr.split("\n").length, 2, "one line");
  });

test("monitor returns 3 without IPVS or without rights", async () => {
  const { stderr, status } = await subcommand("monitor", {
    link: scriptedKernel(undefined, () => false),
  });
  assert.equal(status, 3);
  assert.match(stderr, /^ipvsadm: cannot reach IPVS in the kernel/);
  const { stderr: refused, status: other } = await monitored("", [START], {
    errno: 1,
  });
  assert.equal(other, 3);
  assert.match(refused, /Operation not permitted: run it as root/);
});

test("localTime() has the offset of the time zone", () => {
  const date = new Date("2026-07-01T12:00:00.250Z");
  const text = localTime(date);
  assert.match(text, /^2026-0\d-\d\dT\d\d:\d\d:00\.250[+-]\d\d:\d\d$/);
  assert.equal(new Date(text).getTime(), date.getTime());
});
