import assert from "node:assert/strict";
import { test } from "node:test";
import { TCP, UDP, type ServerEntry } from "../../../src/ipvs/model.js";
import type { Io } from "../../../src/runtime/io.js";
import type { EndingSignal } from "../../../src/system/signals.js";
import { scriptedKernel } from "../../classic/scripted-kernel.js";
import {
  addressKey,
  serverEntry,
  serviceEntry,
} from "../../fixtures/entries.js";
import { TableOfServers } from "../../fixtures/table-of-servers.js";
import { named } from "../../document/named.js";
import { assertFollowsSchema } from "../../document/schema.js";
import { subcommand, terminal } from "../run-subcommand.js";

const WEB = "tcp/192.0.2.1:80";
const DNS = "udp/192.0.2.1:53";
const MACHINE = "10.0.0.11";
const SERVER = `${MACHINE}:8080`;
const NAME = `${SERVER} of ${WEB}`;
const ESRCH = 3;
const EPERM = 1;

function kernel(weight = 0): TableOfServers {
  return new TableOfServers([
    serviceEntry(addressKey(TCP, "192.0.2.1", 80), {}, [
      serverEntry(MACHINE, 8080, { weight, upperThreshold: 0 }),
      serverEntry("10.0.0.12", 8080),
    ]),
    serviceEntry(addressKey(UDP, "192.0.2.1", 53), {}, [
      serverEntry(MACHINE, 53, { weight }),
    ]),
  ]);
}

/**
 * A clock that advances when the program sleeps.
 *
 * @param onSleep called with the number of each sleep, from 1, and a function that sends a signal
 */
function ioWith(
  onSleep: (count: number, send: (signal: EndingSignal) => void) => void,
) {
  let time = 0;
  let count = 0;
  const slept: number[] = [];
  let listen: ((signal: EndingSignal) => void) | undefined;
  const io: Partial<Io> = {
    clock: {
      now: () => time,
      every: () => () => undefined,
      sleep(milliseconds) {
        time += milliseconds;
        slept.push(milliseconds);
        onSleep(++count, (signal) => {
          assert.ok(listen, "signals are not caught");
          listen(signal);
        });
        return Promise.resolve();
      },
    },
    catchSignals(caught) {
      listen = caught;
      return () => {
        listen = undefined;
      };
    },
  };
  return { io, slept, isCaught: () => listen !== undefined };
}

const QUIET = () => undefined;
const run = (line: string, it: TableOfServers, { io } = ioWith(QUIET)) =>
  subcommand(line, { io: { ...io, openLink: () => it.open() } });

function edit(it: TableOfServers, change: Partial<ServerEntry>, service = WEB) {
  it.set(service, service === WEB ? SERVER : `${MACHINE}:53`, (entry) => ({
    ...entry,
    ...change,
  }));
}

function weigh(it: TableOfServers, weight: number) {
  it.set(WEB, SERVER, (entry) => ({
    ...entry,
    settings: { ...entry.settings, weight },
  }));
}

test("wait --for drained ends after two readings that find the server empty", async () => {
  const it = kernel();
  edit(it, { activeConnections: 2 });
  const world = ioWith((count) => {
    if (count === 3) edit(it, { activeConnections: 0, inactiveConnections: 9 });
  });
  const line = `wait ${WEB} ${MACHINE} --for drained`;
  const { stdout, stderr, status } = await run(line, it, world);
  assert.deepEqual([stderr, status], ["", 0]);
  assert.equal(stdout, `${NAME}: drained after 4s\n`);
  assert.deepEqual(world.slept, [1000, 1000, 1000, 1000]);
  assert.ok(!world.isCaught());
  assert.deepEqual(it.changes, []);
});

test("wait --for drained goes on until somebody drains the server", async () => {
  const it = kernel(3);
  const world = ioWith((count) => {
    if (count === 2) weigh(it, 0);
  });
  const line = `wait ${WEB} ${MACHINE} --for drained`;
  const { stdout, status } = await run(line, it, world);
  assert.equal(status, 0);
  assert.equal(stdout, `${NAME}: drained after 3s\n`);
});

test("wait says after --timeout what is left, and ends with 124", async () => {
  const it = kernel();
  edit(it, { activeConnections: 7, persistentConnections: 1 });
  const line = `wait ${WEB} ${MACHINE} --for drained --timeout 1m30s`;
  const { stdout, stderr, status } = await run(line, it);
  assert.deepEqual([stdout, status], ["", 124]);
  assert.equal(
    stderr,
    `ipvsadm: ${NAME}: not drained after 1m 30s: state draining, weight 0, 7 active, 0 inactive and 1 persistent connections\n`,
  );
});

test("wait --for drained says after --timeout that a server was never drained", async () => {
  const it = kernel(3);
  const line = `wait ${WEB} ${MACHINE} --for drained --timeout 2`;
  const { stderr, status } = await run(line, it);
  assert.equal(status, 124);
  assert.match(
    stderr,
    /: 10\.0\.0\.11:8080 of tcp\/192\.0\.2\.1:80 has weight 3; to drain, run 'ipvsadm drain tcp\/192\.0\.2\.1:80 10\.0\.0\.11:8080'\n$/,
  );
});

test("wait --timeout 0 takes as many readings as the condition needs", async () => {
  const drained = await run(
    `wait ${WEB} ${MACHINE} --for drained --timeout 0`,
    kernel(),
  );
  assert.equal(drained.status, 0);
  const world = ioWith(QUIET);
  const it = kernel();
  edit(it, { activeConnections: 1 });
  const line = `wait ${WEB} ${MACHINE} --for active=0 --timeout 0`;
  const active = await run(line, it, world);
  assert.equal(active.status, 124);
  assert.deepEqual(world.slept, []);
});

test("wait --for active=N counts the active connections of a server, or of the whole service", async () => {
  const it = kernel();
  edit(it, { activeConnections: 5, inactiveConnections: 50 });
  it.set(WEB, "10.0.0.12:8080", (entry) => ({
    ...entry,
    activeConnections: 3,
  }));
  const one = await run(`wait ${WEB} ${MACHINE} --for active=5`, it);
  assert.equal(one.stdout, `${NAME}: active=5 after 0s\n`);
  const line = `wait ${WEB} --for active=7 --timeout 3`;
  const both = await run(line, it);
  assert.equal(both.status, 124);
  assert.equal(
    both.stderr,
    `ipvsadm: ${WEB}: not active=7 after 3s: state ok, 2 real servers, 8 active, 50 inactive and 0 persistent connections\n`,
  );
  assert.equal((await run(`wait ${WEB} --for active=8`, it)).status, 0);
  it.set(WEB, "10.0.0.12:8080", () => undefined);
  const alone = await run(`wait ${WEB} --for active=4 --timeout 1`, it);
  assert.match(alone.stderr, /, 1 real server, 5 active/);
});

test("wait --for state=STATE looks at the state of a service or a server", async () => {
  const it = kernel();
  const world = ioWith((count) => {
    if (count === 3) weigh(it, 4);
  });
  const { stdout } = await run(
    `wait ${WEB} ${MACHINE} --for state=ok`,
    it,
    world,
  );
  assert.equal(stdout, `${NAME}: state=ok after 3s\n`);
  const service = await run(`wait ${WEB} --for state=ok`, it);
  assert.equal(service.stdout, `${WEB}: state=ok after 0s\n`);
  const drained = await run(`wait ${DNS} --for state=all-drained`, it);
  assert.equal(drained.stdout, `${DNS}: state=all-drained after 0s\n`);
});

test("wait --all-services waits for a machine in every service, also in those that are added meanwhile", async () => {
  const it = kernel();
  edit(it, { inactiveConnections: 4 }, DNS);
  const world = ioWith((count) => {
    if (count === 2) edit(it, { inactiveConnections: 0 }, DNS);
    if (count === 3)
      it.services = [
        ...it.services,
        serviceEntry(addressKey(TCP, "192.0.2.9", 80), {}, [
          serverEntry(MACHINE, 80, { weight: 0 }),
        ]),
      ];
  });
  const line = `wait --all-services ${MACHINE} --for drained`;
  const { stdout, stderr, status } = await run(line, it, world);
  assert.deepEqual([stderr, status], ["", 0]);
  assert.equal(stdout, `${MACHINE}: drained after 4s\n`);
});

test("wait ends with 5 if the server, service or machine is removed meanwhile", async () => {
  for (const [words, said] of [
    [`${WEB} ${MACHINE}`, `${NAME} is not in the table any more`],
    [WEB, `${WEB} is not in the table any more`],
    [`--all-services ${MACHINE}`, `no service has the real server ${MACHINE}`],
  ] as const) {
    const it = kernel(1);
    const world = ioWith((count) => {
      if (count === 2) it.services = [];
    });
    const line = `wait ${words} --for active=0 --timeout 10`;
    edit(it, { activeConnections: 1 });
    const { stdout, stderr, status } = await run(line, it, world);
    assert.deepEqual([stdout, status], ["", 5], words);
    assert.ok(stderr.startsWith(`ipvsadm: ${said}`), stderr);
  }
});

for (const [signal, wanted] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)
  test(`wait says on ${signal} what is left, and ends with ${wanted}`, async () => {
    const it = kernel();
    edit(it, { activeConnections: 7 });
    const world = ioWith((count, send) => {
      if (count === 2) send(signal);
    });
    const line = `wait ${WEB} ${MACHINE} --for drained`;
    const { stdout, stderr, status } = await run(line, it, world);
    assert.deepEqual([stdout, status], ["", wanted]);
    assert.equal(
      stderr,
      `ipvsadm: interrupted after 2s; ${NAME}: not drained: state draining, weight 0, 7 active, 0 inactive and 0 persistent connections\n`,
    );
    assert.ok(!world.isCaught(), "the signal handlers are removed");
  });

test("wait reads once per --interval", async () => {
  const it = kernel();
  edit(it, { activeConnections: 7 });
  const world = ioWith(QUIET);
  const line = `wait ${WEB} ${MACHINE} --for active=0 --interval 2.5 --timeout 6`;
  const { status } = await run(line, it, world);
  assert.equal(status, 124);
  assert.deepEqual(world.slept, [2500, 2500, 1000]);
});

for (const [words, members] of [
  [
    "tcp/192.0.2.77:80",
    {
      service: "tcp/192.0.2.77:80",
      protocol: "tcp",
      serviceAddress: "192.0.2.77",
      servicePort: 80,
    },
  ],
  ["192.0.2.77:80", { serviceAddress: "192.0.2.77", servicePort: 80 }],
  ["fwm6/7", { service: "fwm6/7", family: "ipv6", firewallMark: 7 }],
  [
    `${WEB} 10.0.0.77:8080`,
    {
      service: WEB,
      server: "10.0.0.77:8080",
      serverAddress: "10.0.0.77",
      serverPort: 8080,
    },
  ],
  [`${WEB} 2001:db8::77`, { service: WEB, serverAddress: "2001:db8::77" }],
  ["--all-services 10.0.0.77", { machine: "10.0.0.77" }],
] as const)
  test(`wait ${words} -o json prints a document if it is not in the table at the start`, async () => {
    const line = `wait ${words} --for drained -o json`;
    const { stdout, stderr, status } = await run(line, kernel(), ioWith(QUIET));
    assert.equal(status, 5);
    assert.match(stderr, /^ipvsadm: (?:there is no|no service has)/);
    assertFollowsSchema(stdout, "wait -o json");
    const document = JSON.parse(stdout) as object;
    assert.deepEqual(document, {
      ...document,
      ...members,
      result: "absent",
      waitedSeconds: 0,
      servers: [],
    });
    assert.ok(!("activeConnections" in document));
  });

test("wait prints one JSON document with -o json", async () => {
  const it = kernel();
  edit(it, { activeConnections: 7 });
  const line = `wait ${WEB} ${MACHINE} --for drained --timeout 2 -o json`;
  const { stdout } = await run(line, it);
  const counts = {
    activeConnections: 7,
    inactiveConnections: 0,
    persistentConnections: 0,
  };
  assert.deepEqual(JSON.parse(stdout), {
    schema: "ipvsadm/wait/1",
    ...named(WEB, SERVER),
    for: "drained",
    result: "timeout",
    ...counts,
    waitedSeconds: 2,
    servers: [
      { ...named(WEB, SERVER), state: "draining", weight: 0, ...counts },
    ],
  });
  const service = await run(`wait ${WEB} --for state=ok -o json`, kernel(1));
  const { result, state } = JSON.parse(service.stdout) as Record<
    string,
    unknown
  >;
  assert.deepEqual([result, state], ["reached", "ok"]);
});

test("wait shows its progress if stderr is a terminal", async () => {
  const it = kernel();
  edit(it, { activeConnections: 7 });
  const { io } = ioWith(QUIET);
  const { stderr } = await subcommand(
    `wait ${WEB} ${MACHINE} --for drained --timeout 3`,
    { link: it.link, io: { ...io, ...terminal(80, { TERM: "xterm" }) } },
  );
  assert.match(
    stderr,
    /\ripvsadm: waiting for drained, 2s: 7 active\x1b\[K/, // eslint-disable-line no-control-regex
  );
});

test("wait ends with 3 without the right to read the table", async () => {
  const link = scriptedKernel(() => ({ errno: EPERM }));
  const { stderr, status } = await subcommand(`wait ${WEB} --for state=ok`, {
    link,
  });
  assert.equal(status, 3);
  assert.match(stderr, /Operation not permitted: run it as root/);
});

test("wait ends with 3 if the kernel has no IPVS, and loads no module", async () => {
  const link = scriptedKernel(
    () => ({ errno: ESRCH }),
    () => false,
  );
  const { log, status } = await subcommand(`wait ${WEB} --for state=ok`, {
    link,
  });
  assert.equal(status, 3);
  assert.ok(!log.includes("load"));
});

for (const [line, status, said] of [
  ["wait", 2, /missing argument SERVICE/],
  [`wait ${WEB}`, 2, /missing option --for: did you mean --for drained/],
  [
    `wait ${WEB} --for draind`,
    2,
    /--for draind: expected drained, active=NUMBER or state=STATE: did you mean --for drained\?/,
  ],
  [`wait ${WEB} --for active=-1`, 2, /--for active=-1: expected/],
  [`wait ${WEB} --for active=some`, 2, /--for active=some: expected/],
  [
    `wait ${WEB} --for state=draining`,
    2,
    /the states of a service are ok, all-overloaded, all-drained, no-servers/,
  ],
  [
    `wait ${WEB} ${MACHINE} --for state=ko`,
    2,
    /the states of a real server are ok, .*did you mean --for state=ok\?/,
  ],
  [`wait ${WEB} ${MACHINE} more --for drained`, 2, /unexpected argument more/],
  [
    `wait ${WEB} --all-services ${MACHINE} --for drained`,
    2,
    /exclude each other/,
  ],
  [
    `wait ${WEB} --for drained --interval 0`,
    2,
    /expected a number from 0\.2 to 60/,
  ],
  [`wait ${WEB} --for drained --timeout soon`, 2, /expected a duration/],
  ["wait 192.0.2.1:81 --for drained", 5, /there is no service 192\.0\.2\.1:81/],
  [
    `wait ${WEB} 10.0.0.99 --for drained`,
    5,
    /there is no real server 10\.0\.0\.99 of/,
  ],
  [
    "wait 192.0.2.1 --for drained",
    1,
    /service 192\.0\.2\.1 is ambiguous: 2 matches/,
  ],
  [
    "wait --all-services 10.0.0.99 --for drained",
    5,
    /no service has the real server 10\.0\.0\.99/,
  ],
] as const)
  test(`one clear error: ${line}`, async () => {
    const outcome = await run(line, kernel());
    assert.deepEqual([outcome.stdout, outcome.status], ["", status]);
    assert.match(outcome.stderr, said);
    assert.equal(outcome.stderr.split("\n").length, 2, "one line");
  });
