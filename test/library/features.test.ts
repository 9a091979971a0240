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
import {
  ConnectionsUnreadable,
  drainServers,
  examineDirector,
  formatChange,
  formatTable,
  InvalidArgument,
  KernelRefusal,
  LockFailed,
  LockHeld,
  metricsText,
  NoSavedWeight,
  NotInTable,
  openIpvs,
  parseAddress,
  parseRules,
  parseServer,
  parseService,
  PlanFailed,
  planTable,
  readMetrics,
  readRuleFile,
  RuleFileUnreadable,
  serverSettings,
  TableChanged,
  topConnections,
  undrainServers,
  waitUntil,
  type Change,
  type IpvsClient,
  type ServiceKey,
} from "../../src/index.js";
import { ENOMEM } from "../../src/netlink/errno.js";
import { takeLock } from "../../src/system/lock.js";
import { TableOfServers } from "../fixtures/table-of-servers.js";
import { clientOf } from "../plan/model-client.js";
import { ModelKernel } from "../plan/model-kernel.js";

const folder = mkdtempSync(join(tmpdir(), "ipvsadm-library-"));
const runFolder = join(folder, "run");
beforeEach(() => {
  rmSync(runFolder, { recursive: true, force: true });
  mkdirSync(runFolder);
});
after(() => {
  rmSync(folder, { recursive: true });
});

const WEB = parseService("TCP 192.0.2.1:80");
const TLS = parseService("TCP 192.0.2.1:443");
const SERVER = parseServer("10.0.0.11:8080");
const MACHINE = SERVER.address;
const RULES = `-A -t 192.0.2.1:80 -s wrr
-a -t 192.0.2.1:80 -r 10.0.0.11:8080 -m -w 3
-A -t 192.0.2.1:443 -s rr
-a -t 192.0.2.1:443 -r 10.0.0.11:443 -m -w 2
-a -t 192.0.2.1:443 -r 10.0.0.12:443 -m -w 1
`;

/** A client of a model of the kernel, and the calls that the library makes besides the plan's. */
function clientWith(
  kernel: ModelKernel,
  trouble?: (change: Change) => number | undefined,
): IpvsClient {
  const service = (key: ServiceKey) => {
    const name = JSON.stringify(key);
    const found = kernel.current.services.find(
      (one) => JSON.stringify(one.key) === name,
    );
    return found
      ? Promise.resolve(found)
      : Promise.reject(new KernelRefusal(3, "get-service", ""));
  };
  return {
    ...clientOf(kernel, trouble),
    service,
    servers: async (key: ServiceKey) => (await service(key)).servers,
  } as unknown as IpvsClient;
}

async function kernelWith(rules: string): Promise<ModelKernel> {
  const { table } = await parseRules(rules);
  const kernel = new ModelKernel({ services: [] });
  const plan = await planTable(clientWith(kernel), table);
  await plan.apply({ runFolder });
  return kernel;
}

/** `TCP 192.0.2.1:80 10.0.0.11:8080 3` … */
async function weights(kernel: ModelKernel): Promise<number[]> {
  return Promise.resolve(
    kernel.current.services.flatMap(({ servers }) =>
      servers.map(({ settings }) => settings.weight),
    ),
  );
}

test("parseRules() returns the table and all findings, in the order of the text", async () => {
  const good = await parseRules(RULES);
  assert.deepEqual(
    [good.valid, good.format, good.findings, good.table.services.length],
    [true, "rules", [], 2],
  );
  const bad = await parseRules("-A -t 192.0.2.1:80 -s\n-A -u host:53 -s rr\n", {
    hostAddress: () => Promise.resolve(undefined),
  });
  assert.equal(bad.valid, false);
  assert.deepEqual(
    bad.findings.map(({ severity, line }) => `${severity} ${line}`),
    ["error 1", "error 2"],
  );
});

test("parseRules() reads bytes, documents and configurations, and looks up hosts with the caller's function", async () => {
  const bytes = await parseRules(Buffer.from(RULES));
  assert.equal(bytes.table.services.length, 2);
  const asked: string[] = [];
  const { table, valid } = await parseRules("-A -t web.example:80 -s rr\n", {
    hostAddress(host) {
      asked.push(host);
      return Promise.resolve("192.0.2.9");
    },
  });
  assert.ok(valid);
  assert.deepEqual(asked, ["web.example"]);
  assert.deepEqual(table.services[0]?.key, parseService("TCP 192.0.2.9:80"));
  const text =
    "virtual_server 192.0.2.1 80 {\n lb_algo rr\n lb_kind NAT\n protocol TCP\n}\n";
  const { format } = await parseRules(text, { name: "keepalived.conf" });
  assert.equal(format, "keepalived");
});

test("readRuleFile() reads a file, and says why it cannot", async () => {
  const path = join(folder, "a.rules");
  writeFileSync(path, RULES);
  assert.equal((await readRuleFile(path)).name, path);
  await assert.rejects(readRuleFile(join(folder, "none")), (error) => {
    assert.ok(error instanceof RuleFileUnreadable);
    assert.equal(error.code, "ENOENT");
    return true;
  });
  await assert.rejects(readRuleFile(folder), { code: "EISDIR" });
});

test("formatTable() writes documents that parseRules() reads back, and formatChange() writes a rule", async () => {
  const { table } = await parseRules(RULES);
  for (const format of ["json", "yaml"] as const) {
    const text = await formatTable(table, format);
    const back = await parseRules(text, { name: `table.${format}` });
    assert.deepEqual([back.valid, back.format], [true, format]);
    assert.deepEqual(back.table.services, table.services);
  }
  const settings = serverSettings({ forwarding: 0, weight: 7 });
  const change = {
    command: "add-server",
    service: WEB,
    server: SERVER,
    settings,
  } as const;
  assert.equal(
    await formatChange(change),
    "-a -t 192.0.2.1:80 -r 10.0.0.11:8080 -m -w 7",
  );
});

test("planTable() plans, apply() changes, and a second plan is empty", async () => {
  const kernel = await kernelWith(RULES);
  const { table } = await parseRules(
    "-A -t 192.0.2.1:80 -s wlc\n-a -t 192.0.2.1:80 -r 10.0.0.11:8080 -m -w 9\n",
  );
  const ipvs = clientWith(kernel);
  const kept = await planTable(ipvs, table, {
    keepWeights: true,
    prune: false,
  });
  assert.deepEqual(
    kept.changes.map(({ command }) => command),
    ["edit-service"],
  );
  const only = await planTable(ipvs, table, {
    only: (key) => "port" in key && key.port === 443,
  });
  assert.deepEqual(
    only.changes.map(({ command }) => command),
    ["delete-service"],
  );
  const plan = await planTable(ipvs, table);
  const reported: number[] = [];
  const { made } = await plan.apply({
    runFolder,
    report: (done) => reported.push(done),
  });
  assert.deepEqual(made, plan.changes);
  assert.equal(reported.at(-1), made.length);
  assert.deepEqual((await planTable(ipvs, table)).changes, []);
  assert.deepEqual(readdirSync(runFolder), [], "the lock is released");
});

test("TablePlan.apply() rolls back if a change is refused", async () => {
  const kernel = await kernelWith(RULES);
  const before = kernel.state;
  const { table } = await parseRules("-A -t 192.0.2.9:80 -s rr\n");
  const ipvs = clientWith(kernel, ({ command }) =>
    command === "delete-service" ? ENOMEM : undefined,
  );
  const plan = await planTable(ipvs, table);
  // The model refuses the roll-back's own delete-service, too.
  await assert.rejects(plan.apply({ runFolder }), (error) => {
    assert.ok(error instanceof PlanFailed);
    assert.ok(error.cause instanceof KernelRefusal);
    assert.equal(error.notRolledBack.length, 1);
    assert.match(error.advice, /look at notRolledBack/);
    return true;
  });
  const other = clientWith(kernel, ({ command }) =>
    command === "edit-server" ? ENOMEM : undefined,
  );
  const { table: edited } = await parseRules(
    `${RULES.replace("-w 3", "-w 4")}-A -u 192.0.2.1:53 -s rr\n`,
  );
  kernel.apply({
    command: "delete-service",
    service: parseService("TCP 192.0.2.9:80"),
  });
  const failing = await planTable(other, edited);
  await assert.rejects(failing.apply({ runFolder }), (error) => {
    assert.ok(error instanceof PlanFailed);
    assert.deepEqual(error.notRolledBack, []);
    return true;
  });
  assert.equal(kernel.state, before);
});

test("TablePlan.apply() changes nothing if the table changed since it was planned", async () => {
  const kernel = await kernelWith(RULES);
  const { table } = await parseRules("");
  const plan = await planTable(clientWith(kernel), table);
  kernel.apply({ command: "delete-service", service: TLS });
  await assert.rejects(plan.apply({ runFolder }), TableChanged);
  assert.equal(kernel.current.services.length, 1);
});

test("functions that change the table respect its lock, and say if they cannot take it", async () => {
  const kernel = await kernelWith(RULES);
  const ipvs = clientWith(kernel);
  const lock = takeLock({ runFolder, procFolder: "/proc" }, "apply");
  const options = { runFolder, lockSeconds: 0 };
  await assert.rejects(
    drainServers(ipvs, { machine: MACHINE }, options),
    (error) => {
      assert.ok(error instanceof LockHeld);
      assert.equal(error.holder?.subcommand, "apply");
      return true;
    },
  );
  const draining = drainServers(
    ipvs,
    { machine: MACHINE },
    { runFolder, lockSeconds: 60 },
  );
  lock.release();
  assert.equal((await draining).servers.length, 2);
  const nowhere = { runFolder: join(folder, "none") };
  await assert.rejects(
    undrainServers(ipvs, { machine: MACHINE }, nowhere),
    LockFailed,
  );
});

test("a signal that has only the members of StopSignal ends the wait for the lock", async () => {
  const ipvs = clientWith(await kernelWith(RULES));
  using lock = takeLock({ runFolder, procFolder: "/proc" }, "apply");
  assert.ok(lock.path);
  const stopper = stoppable();
  const draining = drainServers(
    ipvs,
    { machine: MACHINE },
    { runFolder, lockSeconds: Infinity, signal: stopper.signal },
  );
  stopper.stop(new Error("enough"));
  await assert.rejects(draining, /enough/);
});

/** A signal that is no AbortSignal. */
function stoppable() {
  const listeners = new Set<() => void>();
  const signal = {
    aborted: false,
    reason: undefined as unknown,
    addEventListener(_: "abort", listener: () => void) {
      listeners.add(listener);
    },
    removeEventListener(_: "abort", listener: () => void) {
      listeners.delete(listener);
    },
  };
  return {
    signal,
    stop(reason: Error) {
      Object.assign(signal, { aborted: true, reason });
      for (const listener of listeners) listener();
    },
  };
}

test("drainServers() drains a machine or named servers, and undrainServers() restores the weights", async () => {
  const kernel = await kernelWith(RULES);
  const ipvs = clientWith(kernel);
  const { servers, gone, unsaved } = await drainServers(
    ipvs,
    { machine: MACHINE },
    { runFolder },
  );
  assert.deepEqual(
    servers.map(({ server, weightBefore }) => [
      server.settings.weight,
      weightBefore,
    ]),
    [
      [0, 3],
      [0, 2],
    ],
  );
  assert.deepEqual([gone, unsaved], [[], []]);
  assert.deepEqual(await weights(kernel), [0, 1, 0]);
  await undrainServers(ipvs, [{ service: WEB, server: SERVER }], { runFolder });
  assert.deepEqual(await weights(kernel), [3, 1, 0]);
  const undrained = await undrainServers(
    ipvs,
    { machine: MACHINE },
    { runFolder },
  );
  assert.deepEqual(
    undrained.servers.map(({ weightBefore }) => weightBefore),
    [3, 0],
  );
  assert.deepEqual(await weights(kernel), [3, 1, 2]);
});

test("drainServers() and undrainServers() change nothing if they cannot do all of it", async () => {
  const kernel = await kernelWith(RULES);
  const refusing = clientWith(kernel, (change) =>
    change.command === "edit-server" &&
    "port" in change.service &&
    change.service.port === 443
      ? ENOMEM
      : undefined,
  );
  await assert.rejects(
    drainServers(refusing, { machine: MACHINE }, { runFolder }),
    (error) => {
      assert.ok(error instanceof PlanFailed);
      assert.deepEqual([error.done.length, error.notRolledBack], [1, []]);
      return true;
    },
  );
  const ipvs = clientWith(kernel);
  const absent = { service: WEB, server: parseServer("10.0.0.99:80") };
  await assert.rejects(
    drainServers(ipvs, [{ service: WEB, server: SERVER }, absent], {
      runFolder,
    }),
    (error) => {
      assert.ok(error instanceof NotInTable);
      assert.deepEqual(error.subjects, ["10.0.0.99:80 of TCP 192.0.2.1:80"]);
      return true;
    },
  );
  const unknown = parseAddress("10.0.0.99") ?? assert.fail();
  await assert.rejects(
    undrainServers(ipvs, { machine: unknown }, { runFolder }),
    NotInTable,
  );
  assert.deepEqual(await weights(kernel), [3, 1, 2]);
  await drainServers(ipvs, { machine: MACHINE }, { runFolder });
  rmSync(join(runFolder, "ipvsadm"), { recursive: true });
  await assert.rejects(
    undrainServers(ipvs, { machine: MACHINE }, { runFolder }),
    (error) => {
      assert.ok(error instanceof NoSavedWeight);
      assert.equal(error.servers.length, 2);
      return true;
    },
  );
  await undrainServers(ipvs, { machine: MACHINE }, { runFolder, weight: 5 });
  assert.deepEqual(await weights(kernel), [5, 1, 5]);
});

test("waitUntil() ends when the condition is met, the subject is absent, the time is over, or on a signal", async () => {
  const kernel = await kernelWith(RULES);
  const ipvs = clientWith(kernel);
  const fast = { intervalSeconds: 0.1, timeoutSeconds: 0.1 };
  const service = { service: WEB };
  const ok = await waitUntil(ipvs, service, { kind: "state", state: "ok" });
  assert.deepEqual([ok.end, ok.servers.length], ["reached", 1]);
  const idle = await waitUntil(
    ipvs,
    { machine: MACHINE },
    { kind: "active", atMost: 0 },
  );
  assert.equal(idle.end, "reached");
  const late = await waitUntil(ipvs, service, { kind: "drained" }, fast);
  assert.equal(late.end, "timeout");
  assert.ok(late.seconds >= 0.1);
  const absent = await waitUntil(
    ipvs,
    { service: WEB, server: parseServer("10.0.0.99:80") },
    { kind: "drained" },
  );
  assert.equal(absent.end, "absent");
  const none = await waitUntil(
    ipvs,
    { service: parseService("FWM 7") },
    { kind: "drained" },
  );
  assert.equal(none.end, "absent");
  const stop = new AbortController();
  const stopped = await waitUntil(
    ipvs,
    service,
    { kind: "drained" },
    {
      signal: stop.signal,
      report: () => {
        stop.abort();
      },
    },
  );
  assert.equal(stopped.end, "aborted");
});

test("readMetrics() and metricsText() report the same values", async () => {
  const { services } = (await kernelWith(RULES)).current;
  const ipvs = await openIpvs(new TableOfServers(services).open());
  const metrics = await readMetrics(ipvs, { series: "more" });
  const weight = metrics.find(
    ({ name }) => name === "ipvs_service_available_weight",
  );
  assert.deepEqual(
    weight?.samples.map(({ labels, value }) => [labels["service"], value]),
    [
      ["tcp/192.0.2.1:80", 3],
      ["tcp/192.0.2.1:443", 3],
    ],
  );
  const text = await metricsText(ipvs, { series: "more" });
  for (const { name, type } of metrics)
    assert.ok(text.includes(`# TYPE ${name} ${type}\n`), name);
  assert.match(
    text,
    /^ipvs_service_available_weight\{service="tcp\/192\.0\.2\.1:80",.*\} 3$/m,
  );
  const node = await readMetrics(ipvs, { series: "node" });
  assert.ok(node.every(({ name }) => name.startsWith("node_ipvs_")));
});

test("topConnections() counts by client, service, server or state, with filters", async () => {
  const file = join(folder, "ip_vs_conn");
  const line = (client: string, state: string) =>
    `TCP ${client} C001 C0000201 0050 0A00000B 1F90 ${state.padEnd(11)} 900\n`;
  writeFileSync(
    file,
    "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n" +
      line("C6336407", "ESTABLISHED") +
      line("C6336407", "ESTABLISHED") +
      line("C6336408", "TIME_WAIT"),
  );
  const { total, different, rows } = await topConnections({
    by: "client",
    file,
  });
  assert.deepEqual([total, different], [3, 2]);
  assert.deepEqual(
    rows.map(({ name, connections, atMost }) => [name, connections, atMost]),
    [
      ["198.51.100.7", 2, 2],
      ["198.51.100.8", 1, 1],
    ],
  );
  const states = await topConnections({
    by: "state",
    clients: ["198.51.100.8"],
    file,
  });
  assert.deepEqual(
    states.rows.map(({ name }) => name),
    ["TIME_WAIT"],
  );
  const none = await topConnections({ by: "server", services: [TLS], file });
  assert.deepEqual([none.total, none.rows], [0, []]);
  const limited = await topConnections({ by: "client", limit: 1, file });
  assert.equal(limited.rows.length, 1);
  await assert.rejects(
    topConnections({ by: "client", file: join(folder, "none") }),
    (error) => {
      assert.ok(error instanceof ConnectionsUnreadable);
      assert.match(error.message, /No such file or directory/);
      assert.match(error.advice, /modprobe ip_vs/);
      return true;
    },
  );
});

test("examineDirector() examines this machine, and refuses an unknown kind of finding", async () => {
  const { findings, unchecked } = await examineDirector({
    only: ["module-absent", "no-servers"],
  });
  const known = new Set(["module-absent", "no-servers"]);
  for (const { id } of [...findings, ...unchecked])
    assert.ok(known.has(id), id);
  const skipped = await examineDirector({
    only: ["module-absent"],
    skip: ["module-absent"],
  });
  assert.deepEqual([skipped.findings, skipped.unchecked], [[], []]);
  await assert.rejects(examineDirector({ only: ["no-such"] }), (error) => {
    assert.ok(error instanceof InvalidArgument);
    assert.equal(error.path, "options.only[0]");
    return true;
  });
});
