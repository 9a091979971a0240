import { named } from "../../document/named.js";
import assert from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import {
  ONE_PACKET,
  PERSISTENT,
  TCP,
  TUNNELING,
  TUNNEL_GUE,
  UDP,
  type ServiceKey,
} from "../../../src/ipvs/model.js";
import type { Io } from "../../../src/runtime/io.js";
import type { EndingSignal } from "../../../src/system/signals.js";
import { ChangingKernel } from "../../fixtures/changing-kernel.js";
import { address, serverEntry, serviceEntry } from "../../fixtures/entries.js";
import { takeLock } from "../../../src/system/lock.js";
import { subcommand } from "../run-subcommand.js";

const folder = mkdtempSync(join(tmpdir(), "ipvsadm-drain-"));
const procFolder = join(folder, "proc");
const runFolder = join(folder, "run");
const SAVED = join(runFolder, "ipvsadm/drained");
const SYSCTL = join(procFolder, "sys/net/ipv4/vs/expire_quiescent_template");
mkdirSync(join(SYSCTL, ".."), { recursive: true });
beforeEach(() => {
  rmSync(runFolder, { recursive: true, force: true });
  mkdirSync(runFolder);
  writeFileSync(SYSCTL, "0\n");
});
after(() => {
  rmSync(folder, { recursive: true });
});

const WEB: ServiceKey = {
  family: 2,
  protocol: TCP,
  address: address("192.0.2.1"),
  port: 80,
};
const SERVERS = [
  serverEntry("198.51.100.10", 8080, {
    weight: 3,
    forwarding: TUNNELING,
    tunnel: { type: TUNNEL_GUE, port: 6080, flags: 1 },
    upperThreshold: 500,
    lowerThreshold: 100,
  }),
  serverEntry("198.51.100.11", 8080, { weight: 1 }),
];
const TARGET = "192.0.2.1:80 198.51.100.10:8080";
const NAME = "198.51.100.10:8080 of tcp/192.0.2.1:80";
const WORDS = "tcp/192.0.2.1:80 198.51.100.10:8080";

function kernel(
  settings: Parameters<typeof serviceEntry>[1] = {},
  key = WEB,
  servers = SERVERS,
) {
  return new ChangingKernel(serviceEntry(key, settings, servers));
}

/** A clock that advances when the program sleeps, and signals that the test sends. */
function fakeIo() {
  let time = 0;
  let listen: ((signal: EndingSignal) => void) | undefined;
  const io: Partial<Io> = {
    procFolder,
    runFolder,
    clock: {
      now: () => time,
      every: () => () => undefined,
      sleep: (milliseconds) => {
        time += milliseconds;
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
  return {
    io,
    send(signal: EndingSignal) {
      assert.ok(listen, "signals are not caught");
      listen(signal);
    },
    isCaught: () => listen !== undefined,
  };
}

const run = (line: string, { link }: ChangingKernel, io = fakeIo().io) =>
  subcommand(line, { link, io });

test("drain sets the weight to 0 and changes nothing else", async () => {
  const it = kernel();
  it.connect(12, 4, 0, 0);
  const { stdout, stderr, status } = await run(`drain ${TARGET}`, it);
  assert.equal(
    stdout,
    `${NAME}: weight 0 (was 3); 12 active, 4 inactive and 0 persistent connections\n`,
  );
  assert.deepEqual([stderr, status], ["", 0]);
  assert.deepEqual(it.servers[0]?.settings, {
    ...SERVERS[0]?.settings,
    weight: 0,
  });
  assert.equal(it.servers[1]?.settings.weight, 1);
});

test("undrain restores the weight and deletes the saved one", async () => {
  const it = kernel();
  await run(`drain ${TARGET}`, it);
  assert.deepEqual(readdirSync(SAVED), [
    "net-tcp-192.0.2.1:80-198.51.100.10:8080",
  ]);
  const { stdout, stderr, status } = await run(`undrain ${TARGET}`, it);
  assert.equal(stdout, `${NAME}: weight 3 (was 0)\n`);
  assert.deepEqual([stderr, status], ["", 0]);
  assert.deepEqual(it.servers[0]?.settings, SERVERS[0]?.settings);
  assert.deepEqual(readdirSync(SAVED), []);
});

test("a second drain keeps the saved weight", async () => {
  const it = kernel();
  await run(`drain ${TARGET}`, it);
  const { stdout, status } = await run(`drain ${TARGET}`, it);
  assert.match(stdout, /: weight is already 0 \(was 3\); 0 active/);
  assert.equal(status, 0);
  assert.deepEqual(it.changes, ["edit 198.51.100.10:8080 0"]);
  await run(`undrain ${TARGET}`, it);
  assert.equal(it.servers[0]?.settings.weight, 3);
});

test("undrain needs --weight if there is no saved weight", async () => {
  const it = kernel({}, WEB, [
    serverEntry("198.51.100.10", 8080, { weight: 0 }),
    ...SERVERS.slice(1),
  ]);
  const drained = await run(`drain ${TARGET}`, it);
  assert.match(drained.stdout, /: weight is already 0, no saved weight; /);
  const { stdout, stderr, status } = await run(`undrain ${TARGET}`, it);
  assert.deepEqual([stdout, status], ["", 1]);
  assert.equal(
    stderr,
    `ipvsadm: no saved weight for ${NAME}: give one: 'ipvsadm undrain ${WORDS} --weight N'\n`,
  );
  assert.deepEqual(it.changes, []);
  const said = await run(`undrain ${TARGET} --weight 5`, it);
  assert.equal(said.stdout, `${NAME}: weight 5 (was 0)\n`);
});

for (const text of [
  "",
  "weight",
  "weight 0\n",
  "weight -3\n",
  "weight 3",
  "weight 9999999999\n",
  "\x1b[2Jweight 3\n",
])
  test(`undrain rejects a saved weight of ${JSON.stringify(text)}`, async () => {
    const it = kernel();
    await run(`drain ${TARGET}`, it);
    const path = join(SAVED, readdirSync(SAVED)[0] ?? "");
    writeFileSync(path, text);
    const { stderr, status } = await run(`undrain ${TARGET}`, it);
    assert.equal(status, 1);
    assert.equal(
      stderr,
      `ipvsadm: no saved weight for ${NAME}, the file ${path} is invalid: give one: 'ipvsadm undrain ${WORDS} --weight N'\n`,
    );
    assert.equal(it.servers[0]?.settings.weight, 0);
  });

test("drain warns if it cannot save the weight, and drains all the same", async () => {
  const it = kernel();
  rmSync(runFolder, { recursive: true });
  writeFileSync(runFolder, "a file where a folder should be");
  const { stdout, stderr, status } = await run(`drain ${TARGET}`, it);
  assert.match(stdout, /weight 0 \(was 3\)/);
  assert.equal(status, 0);
  assert.equal(
    stderr,
    `ipvsadm: warning: cannot save the weight 3: cannot write ${SAVED}: Not a directory: to restore it later, run 'ipvsadm undrain ${WORDS} --weight 3'\n`,
  );
});

test("undrain does not change a server with another weight, except with --weight", async () => {
  const it = kernel();
  await run(`drain ${TARGET}`, it);
  it.servers = [serverEntry("198.51.100.10", 8080, { weight: 7 })];
  const { stderr, status } = await run(`undrain ${TARGET}`, it);
  assert.equal(status, 1);
  assert.equal(
    stderr,
    `ipvsadm: ${NAME} is not drained: its weight is 7 (was 3): nothing was changed; to change it, run 'ipvsadm undrain ${WORDS} --weight N'\n`,
  );
  assert.equal(it.servers[0]?.settings.weight, 7);
  assert.deepEqual(
    readdirSync(SAVED),
    [],
    "the outdated saved weight is deleted",
  );
  const said = await run(`undrain ${TARGET} --weight 2`, it);
  assert.deepEqual(
    [said.stdout, said.status],
    [`${NAME}: weight 2 (was 7)\n`, 0],
  );
});

test("drain explains a refusal and saves no weight", async () => {
  const it = kernel();
  it.refusal = 1;
  const { stdout, stderr, status } = await run(`drain ${TARGET}`, it);
  assert.deepEqual([stdout, status], ["", 3]);
  assert.match(stderr, /cannot edit server 198\.51\.100\.10:8080 of TCP/);
  assert.deepEqual(readdirSync(SAVED), []);
});

for (const line of [`drain ${TARGET}`, `undrain ${TARGET}`])
  test(`${line} waits for the lock of the table, and names its holder`, async () => {
    const it = kernel();
    const io = { ...fakeIo().io, procFolder: "/proc" };
    await run(`drain ${TARGET}`, it, io);
    const changes = [...it.changes];
    const lock = takeLock({ runFolder, procFolder: "/proc" }, "apply");
    const { stdout, stderr, status } = await run(line, it, io);
    assert.deepEqual([stdout, status], ["", 1]);
    assert.match(stderr, /'ipvsadm apply' is changing the table/);
    assert.deepEqual(it.changes, changes);
    assert.ok((io.clock?.now() ?? 0) >= 10_000);
    lock.release();
    assert.equal((await run(line, it, io)).status, 0);
    assert.deepEqual(readdirSync(runFolder), ["ipvsadm"], "no lock is left");
  });

for (const [line, status, said] of [
  ["drain 192.0.2.1:80", 2, /missing argument SERVER/],
  [
    "drain 192.0.2.1:81 198.51.100.10",
    1,
    /there is no service 192\.0\.2\.1:81/,
  ],
  [
    "drain 192.0.2.1:80 198.51.100.99",
    1,
    /there is no real server 198\.51\.100\.99 of/,
  ],
  [
    "drain 192.0.2.1:80 198.51.100.10:99999",
    2,
    /198\.51\.100\.10:99999 is not a real server/,
  ],
  [`drain ${TARGET} --timeout soon`, 2, /--timeout soon: expected a duration/],
  [`undrain ${TARGET} --weight 0`, 2, /expected a number from 1 to 2147483647/],
  [`undrain ${TARGET} --weight 1.5`, 2, /--weight 1\.5: expected an integer/],
] as const)
  test(`a usage error changes nothing: ${line}`, async () => {
    const it = kernel();
    const outcome = await run(line, it);
    assert.deepEqual([outcome.stdout, outcome.status], ["", status]);
    assert.match(outcome.stderr, said);
    assert.equal(outcome.stderr.split("\n").length, 2, "one line");
    assert.deepEqual(it.changes, []);
  });

test("drain accepts a server without port and protocol if it is unambiguous", async () => {
  const it = kernel();
  const { status } = await run("drain 192.0.2.1 198.51.100.11", it);
  assert.equal(status, 0);
  assert.deepEqual(it.changes, ["edit 198.51.100.11:8080 0"]);
});

test("drain --wait waits until two readings find the server empty", async () => {
  const it = kernel();
  it.connect(2, 1, 0, 0);
  it.beforeReading = (count) => {
    if (count === 4) it.connect(0, 5, 0, 0);
  };
  const { stdout, stderr, status } = await run(`drain ${TARGET} --wait`, it);
  assert.deepEqual([stderr, status], ["", 0]);
  assert.equal(
    stdout,
    `${NAME}: weight 0 (was 3); 2 active, 1 inactive and 0 persistent connections\n` +
      `${NAME}: empty after 3s\n`,
  );
  assert.deepEqual(it.changes, ["edit 198.51.100.10:8080 0"]);
});

test("drain --remove waits, removes the server and deletes the saved weight", async () => {
  const it = kernel();
  it.connect(1, 0, 0, 0);
  it.beforeReading = (count) => {
    if (count === 3) it.connect(0);
  };
  const { stdout, status } = await run(`drain ${TARGET} --remove`, it);
  assert.equal(status, 0);
  assert.match(stdout, /removed after 2s\n$/);
  assert.deepEqual(it.changes, [
    "edit 198.51.100.10:8080 0",
    "delete 198.51.100.10:8080",
  ]);
  assert.deepEqual(readdirSync(SAVED), []);
});

test("drain --remove reports remaining connections after --timeout, and removes nothing", async () => {
  const it = kernel();
  it.connect(7, 1, 0, 0);
  const line = `drain ${TARGET} --remove --timeout 1m30s`;
  const { stdout, stderr, status } = await run(line, it);
  assert.equal(status, 1);
  assert.match(stdout, /^.*weight 0 \(was 3\).*\n$/);
  assert.equal(
    stderr,
    `ipvsadm: ${NAME} is not empty after 1m 30s: weight 0 (was 3), 7 active, 1 inactive and 0 persistent connections: to continue, run 'ipvsadm drain ${WORDS} --wait'; to undo this, run 'ipvsadm undrain ${WORDS}'\n`,
  );
  assert.deepEqual(it.changes, ["edit 198.51.100.10:8080 0"]);
  await run(`undrain ${TARGET}`, it);
  assert.equal(it.servers[0]?.settings.weight, 3);
});

for (const [signal, wanted] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
] as const)
  test(`drain reports the state of the server on ${signal}`, async () => {
    const it = kernel();
    const fake = fakeIo();
    it.connect(7, 1, 2, 0);
    it.beforeReading = (count) => {
      if (count === 5) fake.send(signal);
    };
    const line = `drain ${TARGET} --remove`;
    const { stderr, status } = await run(line, it, fake.io);
    assert.equal(status, wanted);
    assert.equal(
      stderr,
      `ipvsadm: interrupted; ${NAME}: weight 0 (was 3), 7 active, 1 inactive and 2 persistent connections: to undo this, run 'ipvsadm undrain ${WORDS}'\n`,
    );
    assert.ok(!fake.isCaught(), "the signal handlers are removed");
    assert.deepEqual(it.changes, ["edit 198.51.100.10:8080 0"]);
  });

test("drain stops waiting if another program removes the server or changes its weight", async () => {
  for (const [line, status, said] of [
    [
      `drain ${TARGET} --wait`,
      1,
      /is not in the table any more: another program/,
    ],
    [`drain ${TARGET} --remove`, 0, /^$/],
  ] as const) {
    const it = kernel();
    it.connect(7);
    it.beforeReading = (count) => {
      if (count === 4) it.servers = it.servers.slice(1);
    };
    const outcome = await run(line, it);
    assert.equal(outcome.status, status);
    assert.match(outcome.stderr, said);
  }
  const it = kernel();
  it.connect(7);
  it.beforeReading = (count) => {
    if (count === 4) it.servers = SERVERS;
  };
  const { stderr, status } = await run(`drain ${TARGET} --remove`, it);
  assert.equal(status, 1);
  assert.match(
    stderr,
    /has weight 3 now: another program set it: stopped waiting; the server was not removed\n$/,
  );
});

test("drain warns if no other server accepts connections", async () => {
  const it = kernel({}, WEB, SERVERS.slice(0, 1));
  const { stderr, status } = await run(`drain ${TARGET}`, it);
  assert.equal(status, 0);
  assert.match(
    stderr,
    /^ipvsadm: warning: this was the last real server of the service that accepts new/,
  );
});

test("drain warns of persistent clients unless expire_quiescent_template is 1", async () => {
  const it = kernel({ flags: PERSISTENT, timeoutSeconds: 300 });
  const { stderr } = await run(`drain ${TARGET}`, it);
  assert.match(
    stderr,
    /^ipvsadm: warning: persistent clients still reach this server, because net\.ipv4\.vs\.expire_quiescent_template is 0: 'sysctl -w/,
  );
  writeFileSync(SYSCTL, "1\n");
  assert.equal((await run(`drain ${TARGET}`, it)).stderr, "");
});

for (const [scheduler, flags, warned] of [
  ["sh", 0, true],
  ["sh", 0x08, false],
  ["dh", 0, true],
  ["mh", 0, false],
  ["wlc", 0, false],
] as const)
  test(`drain ${warned ? "warns" : "does not warn"} of refused clients for ${scheduler} with flags ${flags}`, async () => {
    const { stderr } = await run(
      `drain ${TARGET}`,
      kernel({ scheduler, flags }),
    );
    assert.equal(
      stderr.includes("refuses clients that hash to this server"),
      warned,
    );
  });

test("drain waits for inactive connections of UDP", async () => {
  const it = kernel({ flags: ONE_PACKET }, { ...WEB, protocol: UDP });
  it.connect(0, 9);
  const { stderr, status } = await run(`drain ${TARGET} --timeout 3`, it);
  assert.equal(status, 1);
  assert.match(stderr, /0 active, 9 inactive and 0 persistent/);
});

test("drain and undrain print one JSON document with -o json", async () => {
  const it = kernel();
  it.connect(3, 2, 1, 0);
  const { stdout } = await run(`drain ${TARGET} --timeout 2 -o json`, it);
  assert.deepEqual(JSON.parse(stdout), {
    schema: "ipvsadm/drain/1",
    ...named("tcp/192.0.2.1:80", "198.51.100.10:8080"),
    state: "timeout",
    weightBefore: 3,
    weight: 0,
    activeConnections: 3,
    inactiveConnections: 2,
    persistentConnections: 1,
    waitedSeconds: 2,
  });
  const undrained = await run(`undrain ${TARGET} -o json`, it);
  assert.deepEqual(JSON.parse(undrained.stdout), {
    schema: "ipvsadm/undrain/1",
    ...named("tcp/192.0.2.1:80", "198.51.100.10:8080"),
    weightBefore: 0,
    weight: 3,
  });
  it.connect(0);
  const removed = await run(`drain ${TARGET} --remove -o json`, it);
  const { state, weight } = JSON.parse(removed.stdout) as Record<
    string,
    unknown
  >;
  assert.deepEqual([state, weight], ["removed", undefined]);
});

test("drain shows its progress if stderr is a terminal", async () => {
  const it = kernel();
  const fake = fakeIo();
  it.connect(12, 3, 1, 0);
  const { stderr } = await run(`drain ${TARGET} --timeout 3`, it, {
    ...fake.io,
    terminal: { isTerminal: () => true, size: () => undefined },
    environment: (name) => (name === "TERM" ? "xterm" : undefined),
  });
  assert.match(
    stderr,
    /\ripvsadm: draining, 2s: 12 active, 3 inactive, 1 persistent\x1b\[K/, // eslint-disable-line no-control-regex
  );
});

test("a saved weight has its own file, named after network namespace, service and server", async () => {
  const it = kernel(
    {},
    { ...WEB, family: 10, address: address("2001:db8::1") },
  );
  await run("drain [2001:db8::1]:80 198.51.100.10:8080", it, {
    ...fakeIo().io,
    procFolder: "/proc",
  });
  const [name = ""] = readdirSync(SAVED);
  assert.match(name, /^[0-9]+-tcp-\[2001:db8::1\]:80-198\.51\.100\.10:8080$/);
  assert.equal(readFileSync(join(SAVED, name), "latin1"), "weight 3\n");
});
