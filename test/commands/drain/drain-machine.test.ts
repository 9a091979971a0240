import assert from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { TCP, UDP, type ServiceWithServers } from "../../../src/ipvs/model.js";
import type { Io } from "../../../src/runtime/io.js";
import { takeLock } from "../../../src/system/lock.js";
import type { EndingSignal } from "../../../src/system/signals.js";
import {
  addressKey,
  serverEntry,
  serviceEntry,
} from "../../fixtures/entries.js";
import { TableOfServers } from "../../fixtures/table-of-servers.js";
import { named } from "../../document/named.js";
import { subcommand } from "../run-subcommand.js";

const folder = mkdtempSync(join(tmpdir(), "ipvsadm-drain-machine-"));
const procFolder = join(folder, "proc");
const runFolder = join(folder, "run");
const SAVED = join(runFolder, "ipvsadm/drained");
mkdirSync(procFolder);
beforeEach(() => {
  rmSync(runFolder, { recursive: true, force: true });
  mkdirSync(runFolder);
});
after(() => {
  rmSync(folder, { recursive: true });
});

const MACHINE = "10.0.0.11";
const WEB = "tcp/192.0.2.1:80";
const TLS = "tcp/192.0.2.1:443";
const DNS = "udp/192.0.2.1:53";
const EPERM = 1;
const ENOMEM = 12;

function services(): ServiceWithServers[] {
  return [
    serviceEntry(addressKey(TCP, "192.0.2.1", 80), {}, [
      serverEntry(MACHINE, 8080, { weight: 3, upperThreshold: 500 }),
      serverEntry("10.0.0.12", 8080),
    ]),
    serviceEntry(addressKey(TCP, "192.0.2.1", 443), {}, [
      serverEntry("10.0.0.12", 443),
      serverEntry(MACHINE, 443, { weight: 2 }),
    ]),
    serviceEntry(addressKey(UDP, "192.0.2.1", 53), {}, [
      serverEntry("10.0.0.12", 53),
      serverEntry("10.0.0.13", 53),
    ]),
  ];
}

function kernel(): TableOfServers {
  return new TableOfServers(services());
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

const run = (line: string, it: TableOfServers, io = fakeIo().io) =>
  subcommand(line, { io: { ...io, openLink: () => it.open() } });

const DRAIN = `drain --all-services ${MACHINE}`;
const UNDRAIN = `undrain --all-services ${MACHINE}`;

function connect(
  it: TableOfServers,
  service: string,
  server: string,
  active: number,
) {
  it.set(service, server, (entry) => ({ ...entry, activeConnections: active }));
}

test("drain --all-services drains a machine in every service that has it, at any port", async () => {
  const it = kernel();
  connect(it, WEB, `${MACHINE}:8080`, 12);
  connect(it, TLS, `${MACHINE}:443`, 3);
  const { stdout, stderr, status } = await run(DRAIN, it);
  assert.deepEqual([stderr, status], ["", 0]);
  assert.equal(
    stdout,
    `${MACHINE}:8080 of ${WEB}: weight 0 (was 3); 12 active, 0 inactive and 0 persistent connections\n` +
      `${MACHINE}:443 of ${TLS}: weight 0 (was 2); 3 active, 0 inactive and 0 persistent connections\n` +
      `${MACHINE}: drained in 2 services; 15 active, 0 inactive and 0 persistent connections\n`,
  );
  assert.deepEqual(it.weights, [
    `${WEB} ${MACHINE}:8080 0`,
    `${WEB} 10.0.0.12:8080 1`,
    `${TLS} 10.0.0.12:443 1`,
    `${TLS} ${MACHINE}:443 0`,
    `${DNS} 10.0.0.12:53 1`,
    `${DNS} 10.0.0.13:53 1`,
  ]);
  assert.equal(it.services[0]?.servers[0]?.settings.upperThreshold, 500);
});

test("undrain --all-services restores all weights and deletes the saved ones", async () => {
  const it = kernel();
  const before = it.weights;
  await run(DRAIN, it);
  assert.equal(readdirSync(SAVED).length, 2);
  const { stdout, stderr, status } = await run(UNDRAIN, it);
  assert.deepEqual([stderr, status], ["", 0]);
  assert.equal(
    stdout,
    `${MACHINE}:8080 of ${WEB}: weight 3 (was 0)\n` +
      `${MACHINE}:443 of ${TLS}: weight 2 (was 0)\n` +
      `${MACHINE}: undrained in 2 services\n`,
  );
  assert.deepEqual(it.weights, before);
  assert.deepEqual(readdirSync(SAVED), []);
});

test("drain --all-services sets all weights back if the kernel refuses one", async () => {
  const it = kernel();
  const before = it.weights;
  it.refuse = ({ service }) => (service === TLS ? ENOMEM : undefined);
  const { stdout, stderr, status } = await run(DRAIN, it);
  assert.deepEqual([stdout, status], ["", 1]);
  assert.match(
    stderr,
    /^ipvsadm: cannot edit server 10\.0\.0\.11:443 of TCP 192\.0\.2\.1:443: Cannot allocate memory\nipvsadm: 1 change was rolled back; all weights are as before\n$/,
  );
  assert.deepEqual(it.weights, before);
  assert.deepEqual(it.changes, [
    `edit ${WEB} ${MACHINE}:8080 0`,
    `edit ${WEB} ${MACHINE}:8080 3`,
  ]);
  assert.deepEqual(readdirSync(SAVED), [], "no saved weight is left");
});

test("drain --all-services names each weight that could not be set back, and keeps it saved", async () => {
  const it = kernel();
  it.refuse = ({ service, weight }) =>
    service === TLS ? ENOMEM : weight === 3 ? EPERM : undefined;
  const { stderr, status } = await run(DRAIN, it);
  assert.equal(status, 1);
  const lines = stderr.split("\n");
  assert.match(lines[0] ?? "", /Cannot allocate memory$/);
  assert.equal(
    lines[1],
    `ipvsadm: not rolled back: ${MACHINE}:8080 of ${WEB} has weight 0: cannot edit server ${MACHINE}:8080 of TCP 192.0.2.1:80: Operation not permitted: to set it back, run 'ipvsadm undrain ${WEB} ${MACHINE}:8080 --weight 3'`,
  );
  assert.equal(
    lines[2],
    "ipvsadm: the rollback is incomplete: 1 change remains",
  );
  assert.deepEqual(readdirSync(SAVED), [
    `net-tcp-192.0.2.1:80-${MACHINE}:8080`,
  ]);
});

test("drain --all-services drains a service that another program adds meanwhile", async () => {
  const it = kernel();
  it.refuse = () => {
    it.refuse = () => undefined;
    it.services = [
      ...it.services,
      serviceEntry(addressKey(TCP, "192.0.2.9", 80), {}, [
        serverEntry(MACHINE, 80, { weight: 7 }),
        serverEntry("10.0.0.12", 80),
      ]),
    ];
    return undefined;
  };
  const { stdout, status } = await run(DRAIN, it);
  assert.equal(status, 0);
  assert.match(
    stdout,
    /10\.0\.0\.11:80 of tcp\/192\.0\.2\.9:80: weight 0 \(was 7\)/,
  );
  assert.match(stdout, /drained in 3 services/);
});

test("drain --all-services goes on without a server that another program removes meanwhile", async () => {
  const it = kernel();
  it.refuse = () => {
    it.refuse = () => undefined;
    it.set(WEB, `${MACHINE}:8080`, () => undefined);
    return undefined;
  };
  const { stdout, status } = await run(DRAIN, it);
  assert.equal(status, 0);
  assert.match(
    stdout,
    /10\.0\.0\.11:8080 of tcp\/192\.0\.2\.1:80: removed by another program\n/,
  );
  assert.match(stdout, /drained in 1 service;/);
  assert.deepEqual(readdirSync(SAVED), [
    `net-tcp-192.0.2.1:443-${MACHINE}:443`,
  ]);
});

test("drain --all-services gives up and sets all weights back if another program changes them again and again", async () => {
  const it = kernel();
  it.beforeListing = () => {
    it.set(WEB, `${MACHINE}:8080`, (entry) => ({
      ...entry,
      settings: { ...entry.settings, weight: 3 },
    }));
  };
  const { stderr, status } = await run(DRAIN, it);
  assert.equal(status, 1);
  assert.match(stderr, /it changed during each of 5 attempts/);
  assert.match(stderr, /all weights are as before\n$/);
  assert.ok(it.weights.includes(`${WEB} ${MACHINE}:8080 3`));
  assert.ok(it.weights.includes(`${TLS} ${MACHINE}:443 2`));
});

test("drain --all-services sets all weights back on a signal", async () => {
  const it = kernel();
  const before = it.weights;
  const fake = fakeIo();
  it.refuse = () => {
    it.refuse = () => undefined;
    fake.send("SIGINT");
    it.services = [
      ...it.services,
      serviceEntry(addressKey(TCP, "192.0.2.9", 80), {}, [
        serverEntry(MACHINE, 80),
      ]),
    ];
    return undefined;
  };
  const { stderr, status } = await run(DRAIN, it, fake.io);
  assert.equal(status, 130);
  assert.equal(
    stderr,
    "ipvsadm: interrupted by SIGINT\nipvsadm: 2 changes were rolled back; all weights are as before\n",
  );
  assert.deepEqual(it.weights.slice(0, before.length), before);
  assert.ok(!fake.isCaught());
});

test("drain --all-services also sets all weights back on a signal after the last change", async () => {
  const it = kernel();
  const before = it.weights;
  const fake = fakeIo();
  it.beforeListing = () => {
    if (it.changes.length < 2) return;
    it.beforeListing = () => undefined;
    fake.send("SIGTERM");
  };
  const { stdout, stderr, status } = await run(`${DRAIN} --wait`, it, fake.io);
  assert.deepEqual([stdout, status], ["", 143]);
  assert.match(stderr, /all weights are as before/);
  assert.deepEqual(it.weights, before);
});

test("drain --all-services keeps the saved weight of a server that is removed and added again meanwhile", async () => {
  const it = kernel();
  const server = `${MACHINE}:8080`;
  it.refuse = () => {
    it.refuse = () => undefined;
    const removed = it.services;
    it.set(WEB, server, () => undefined);
    it.beforeListing = () => {
      it.beforeListing = () => undefined;
      it.services = removed;
    };
    return undefined;
  };
  const { stdout, status } = await run(DRAIN, it);
  assert.equal(status, 0);
  assert.doesNotMatch(stdout, /removed by another program/);
  assert.equal(readdirSync(SAVED).length, 2);
  await run(UNDRAIN, it);
  assert.ok(it.weights.includes(`${WEB} ${server} 3`));
});

for (const line of [DRAIN, UNDRAIN])
  test(`${line} waits for the lock of the table`, async () => {
    const it = kernel();
    const io = { ...fakeIo().io, procFolder: "/proc" };
    await run(DRAIN, it, io);
    const changes = [...it.changes];
    const lock = takeLock({ runFolder, procFolder: "/proc" }, "apply");
    const { stdout, stderr, status } = await run(line, it, io);
    assert.deepEqual([stdout, status], ["", 1]);
    assert.match(stderr, /'ipvsadm apply' is changing the table/);
    assert.deepEqual(it.changes, changes);
    lock.release();
    assert.equal((await run(line, it, io)).status, 0);
    assert.deepEqual(readdirSync(runFolder), ["ipvsadm"], "no lock is left");
  });

for (const line of [DRAIN, UNDRAIN])
  test(`a signal ends the wait of ${line} for the lock`, async () => {
    const it = kernel();
    const fake = fakeIo();
    const io = { ...fake.io, procFolder: "/proc" };
    await run(DRAIN, it, io);
    const changes = [...it.changes];
    using lock = takeLock({ runFolder, procFolder: "/proc" }, "apply");
    assert.ok(lock.path);
    const clock = {
      ...io.clock,
      sleep() {
        fake.send("SIGINT");
        return Promise.resolve();
      },
    } as unknown as Io["clock"];
    const { stderr, status } = await run(line, it, { ...io, clock });
    assert.equal(status, 130);
    assert.equal(stderr, "ipvsadm: interrupted; nothing was changed\n");
    assert.deepEqual(it.changes, changes);
    assert.ok(!fake.isCaught());
  });

test("drain --all-services --wait waits until the machine is empty in every service", async () => {
  const it = kernel();
  connect(it, TLS, `${MACHINE}:443`, 2);
  const fake = fakeIo();
  const usual = fake.io.clock;
  let sleeps = 0;
  const clock = {
    ...fake.io.clock,
    sleep(milliseconds: number, signal: AbortSignal) {
      if (++sleeps === 2) connect(it, TLS, `${MACHINE}:443`, 0);
      return usual?.sleep(milliseconds, signal) ?? Promise.resolve();
    },
  } as Io["clock"];
  const { stdout, stderr, status } = await run(`${DRAIN} --wait`, it, {
    ...fake.io,
    clock,
  });
  assert.deepEqual([stderr, status], ["", 0]);
  assert.match(stdout, /\n10\.0\.0\.11: empty after 3s\n$/);
});

test("drain --all-services --remove removes the machine from every service", async () => {
  const it = kernel();
  const { stdout, stderr, status } = await run(`${DRAIN} --remove`, it);
  assert.deepEqual([stderr, status], ["", 0]);
  assert.match(stdout, /10\.0\.0\.11: removed from 2 services after 1s\n$/);
  assert.ok(!it.weights.some((line) => line.includes(MACHINE)));
  assert.deepEqual(readdirSync(SAVED), []);
});

test("drain --all-services --remove removes nothing if one service is not empty in time", async () => {
  const it = kernel();
  connect(it, TLS, `${MACHINE}:443`, 2);
  const { stderr, status } = await run(`${DRAIN} --remove --timeout 3`, it);
  assert.equal(status, 1);
  assert.equal(
    stderr,
    `ipvsadm: ${MACHINE}:443 of ${TLS} is not empty: weight 0 (was 2), 2 active, 0 inactive and 0 persistent connections\n` +
      `ipvsadm: 1 of 2 real servers is not empty after 3s; none was removed: to continue, run 'ipvsadm drain --all-services ${MACHINE} --wait'; to undo this, run 'ipvsadm undrain --all-services ${MACHINE}'\n`,
  );
  assert.ok(it.weights.includes(`${WEB} ${MACHINE}:8080 0`));
});

test("drain --all-services --remove reports what was removed if a removal is refused and cannot be rolled back", async () => {
  const it = kernel();
  it.refuse = ({ kind, service }) =>
    kind === "delete" && service === TLS ? ENOMEM : undefined;
  const { stderr, status } = await run(`${DRAIN} --remove`, it);
  assert.equal(status, 1);
  assert.match(stderr, /cannot delete server 10\.0\.0\.11:443/);
  // This kernel cannot add servers.
  assert.match(
    stderr,
    /not rolled back: 10\.0\.0\.11:8080 of tcp\/192\.0\.2\.1:80 was removed/,
  );
  assert.match(stderr, /the rollback is incomplete: 1 change remains\n$/);
});

test("drain --all-services reports remaining connections on SIGTERM while it waits", async () => {
  const it = kernel();
  connect(it, TLS, `${MACHINE}:443`, 2);
  const fake = fakeIo();
  const clock = {
    ...fake.io.clock,
    sleep() {
      fake.send("SIGTERM");
      return Promise.resolve();
    },
  } as unknown as Io["clock"];
  const { stderr, status } = await run(`${DRAIN} --wait`, it, {
    ...fake.io,
    clock,
  });
  assert.equal(status, 143);
  assert.match(stderr, /is not empty: weight 0 \(was 2\), 2 active/);
  assert.match(
    stderr,
    /ipvsadm: interrupted after 0s: to undo this, run 'ipvsadm undrain --all-services 10\.0\.0\.11'\n$/,
  );
});

test("--dry-run prints what would be done, takes no lock and changes nothing", async () => {
  const it = kernel();
  const before = it.weights;
  const drained = await run(`${DRAIN} --dry-run --remove`, it);
  assert.deepEqual([drained.stderr, drained.status], ["", 0]);
  assert.equal(
    drained.stdout,
    `${MACHINE}:8080 of ${WEB}: weight 3 would become 0; 0 active, 0 inactive and 0 persistent connections\n` +
      `${MACHINE}:443 of ${TLS}: weight 2 would become 0; 0 active, 0 inactive and 0 persistent connections\n` +
      `${MACHINE}: would be drained in 2 services, and removed when it is empty\n`,
  );
  const one = await run(`drain ${WEB} ${MACHINE} --dry-run`, it);
  assert.equal(
    one.stdout,
    `${MACHINE}:8080 of ${WEB}: weight 3 would become 0; 0 active, 0 inactive and 0 persistent connections\n`,
  );
  assert.deepEqual(it.weights, before);
  assert.deepEqual(readdirSync(runFolder), []);
  await run(DRAIN, it);
  const undrained = await run(`${UNDRAIN} --dry-run`, it);
  assert.equal(
    undrained.stdout,
    `${MACHINE}:8080 of ${WEB}: weight 0 would become 3\n` +
      `${MACHINE}:443 of ${TLS}: weight 0 would become 2\n` +
      `${MACHINE}: would be undrained in 2 services\n`,
  );
  const single = await run(`undrain ${WEB} ${MACHINE} --dry-run`, it);
  assert.equal(
    single.stdout,
    `${MACHINE}:8080 of ${WEB}: weight 0 would become 3\n`,
  );
  assert.equal(it.weights.filter((line) => line.endsWith(" 0")).length, 2);
  assert.equal(readdirSync(SAVED).length, 2);
});

test("undrain --all-services changes nothing if one weight is not saved", async () => {
  const it = kernel();
  await run(DRAIN, it);
  rmSync(join(SAVED, `net-tcp-192.0.2.1:443-${MACHINE}:443`));
  const { stdout, stderr, status } = await run(UNDRAIN, it);
  assert.deepEqual([stdout, status], ["", 1]);
  assert.equal(
    stderr,
    `ipvsadm: no saved weight for ${MACHINE}:443 of ${TLS}; nothing was changed: give one for all: 'ipvsadm undrain --all-services ${MACHINE} --weight N'\n`,
  );
  assert.equal(it.changes.length, 2);
  const all = await run(`${UNDRAIN} --weight 4`, it);
  assert.match(all.stdout, /weight 4 \(was 0\)\n.*weight 4 \(was 0\)\n/);
});

test("undrain --all-services keeps the weight where the machine is not drained", async () => {
  const it = kernel();
  await run(`drain ${TLS} ${MACHINE}`, it);
  const { stdout, status } = await run(UNDRAIN, it);
  assert.equal(status, 0);
  assert.equal(
    stdout,
    `${MACHINE}:8080 of ${WEB}: weight stays 3\n` +
      `${MACHINE}:443 of ${TLS}: weight 2 (was 0)\n` +
      `${MACHINE}: undrained in 1 service\n`,
  );
});

test("undrain --all-services sets weight 0 again if the kernel refuses one", async () => {
  const it = kernel();
  await run(DRAIN, it);
  it.refuse = ({ service }) => (service === TLS ? ENOMEM : undefined);
  const { stderr, status } = await run(UNDRAIN, it);
  assert.equal(status, 1);
  assert.match(
    stderr,
    /1 change was rolled back; all weights are as before\n$/,
  );
  assert.ok(it.weights.includes(`${WEB} ${MACHINE}:8080 0`));
  assert.equal(readdirSync(SAVED).length, 2, "the saved weights are kept");
});

test("drain --all-services prints each warning once, with its services", async () => {
  const it = kernel();
  it.services = it.services.map((one) => ({
    ...one,
    servers: [serverEntry(MACHINE, 80)],
  }));
  const { stderr, status } = await run(DRAIN, it);
  assert.equal(status, 0);
  assert.equal(
    stderr,
    `ipvsadm: warning: ${WEB}, ${TLS}, ${DNS}: this was the last real server of the service that accepts new connections; clients are refused now: to undo this, run 'ipvsadm undrain --all-services ${MACHINE}'\n`,
  );
});

test("drain --all-services warns of each weight that it cannot save", async () => {
  const it = kernel();
  rmSync(runFolder, { recursive: true });
  writeFileSync(runFolder, "a file where a folder should be");
  const { stderr, status } = await run(DRAIN, it);
  assert.equal(status, 0);
  assert.match(
    stderr,
    /^ipvsadm: warning: cannot save the weight 3: .*--weight 3'\nipvsadm: warning: cannot save the weight 2: .*--weight 2'\n$/,
  );
});

test("drain and undrain --all-services print one JSON document with -o json", async () => {
  const it = kernel();
  const drained = await run(`${DRAIN} -o json`, it);
  assert.deepEqual(JSON.parse(drained.stdout), {
    schema: "ipvsadm/drain-machine/1",
    machine: MACHINE,
    state: "draining",
    servers: [
      {
        ...named(WEB, `${MACHINE}:8080`),
        state: "draining",
        weightBefore: 3,
        weight: 0,
        activeConnections: 0,
        inactiveConnections: 0,
        persistentConnections: 0,
      },
      {
        ...named(TLS, `${MACHINE}:443`),
        state: "draining",
        weightBefore: 2,
        weight: 0,
        activeConnections: 0,
        inactiveConnections: 0,
        persistentConnections: 0,
      },
    ],
  });
  it.refuse = ({ service }) => (service === TLS ? ENOMEM : undefined);
  const failed = await run(`${UNDRAIN} -o json`, it);
  assert.deepEqual(JSON.parse(failed.stdout), {
    schema: "ipvsadm/undrain-machine/1",
    machine: MACHINE,
    state: "failed",
    reason: `cannot edit server ${MACHINE}:443 of TCP 192.0.2.1:443: Cannot allocate memory`,
    rolledBack: 1,
    notRolledBack: [],
    unknown: [],
  });
  it.refuse = () => undefined;
  const undrained = await run(`${UNDRAIN} -o json`, it);
  const { state, servers } = JSON.parse(undrained.stdout) as {
    state: string;
    servers: unknown[];
  };
  assert.deepEqual(
    [state, servers[1]],
    [
      "undrained",
      { ...named(TLS, `${MACHINE}:443`), weightBefore: 0, weight: 2 },
    ],
  );
});

for (const [line, status, said] of [
  [
    "drain --all-services 10.0.0.99",
    1,
    /no service has the real server 10\.0\.0\.99: 'ipvsadm list'/,
  ],
  [
    `drain --all-services ${MACHINE}:8080`,
    2,
    /expected an address without a port/,
  ],
  [
    "drain --all-services 10.0.0.11:99999",
    2,
    /10\.0\.0\.11:99999 is not a real server/,
  ],
  [
    `drain ${WEB} --all-services ${MACHINE}`,
    2,
    /--all-services and the argument tcp\/192\.0\.2\.1:80 exclude each other/,
  ],
  ["drain --all-services", 2, /--all-services needs a value \(MACHINE\)/],
  ["drain", 2, /missing argument SERVICE/],
  ["undrain", 2, /missing argument SERVICE/],
  [`undrain ${WEB}`, 2, /missing argument SERVER/],
  [
    UNDRAIN,
    1,
    /10\.0\.0\.11 is not drained in any service; nothing was changed/,
  ],
  [
    `${UNDRAIN} --dry-run`,
    1,
    /10\.0\.0\.11 is not drained in any service; nothing was changed/,
  ],
  [
    "undrain --all-services 10.0.0.99",
    1,
    /no service has the real server 10\.0\.0\.99/,
  ],
] as const)
  test(`one clear error, and nothing is changed: ${line}`, async () => {
    const it = kernel();
    const outcome = await run(line, it);
    assert.deepEqual([outcome.stdout, outcome.status], ["", status]);
    assert.match(outcome.stderr, said);
    assert.equal(outcome.stderr.split("\n").length, 2, "one line");
    assert.deepEqual(it.changes, []);
  });
