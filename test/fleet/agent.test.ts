import assert from "node:assert/strict";
import { test } from "node:test";
import { drainId, drainRecord, type Drain } from "../../src/fleet/drain.js";
import { recordBytes } from "../../src/fleet/record.js";
import { updateOrder } from "../../src/fleet/update-order.js";
import { EINVAL } from "../../src/netlink/errno.js";
import { StoreError } from "../../src/store/store-error.js";
import { address } from "../fixtures/entries.js";
import { ModelKernel } from "../plan/model-kernel.js";
import { OutputFailed } from "../../src/system/atomic-file.js";
import { asCurrentState } from "../../src/fleet/table-text.js";
import { MemoryCluster, type StoreTrouble } from "../store/memory-store.js";
import { Director, EMPTY, KEYS, NEVER, release, WEB, webTable } from "./rig.js";

/** Stores a drain of 10.0.0.HOST in all services. @returns its key */
function drainHost(cluster: MemoryCluster, host: string): string {
  const server = { address: address(`10.0.0.${host}`), port: undefined };
  const drain: Drain = {
    id: drainId(undefined, server),
    service: undefined,
    server,
    author: "alice",
    at: "2026-01-02T03:04:05.000Z",
  };
  const key = KEYS.drain(drain.id);
  cluster.commit([], [{ put: key, value: recordBytes(drainRecord(drain)) }]);
  return key;
}

test("an agent applies the released revision, and reports it", async () => {
  const cluster = new MemoryCluster();
  const director = new Director(cluster);
  await director.follow();
  assert.equal(director.agent.state.condition, "waiting");
  await release(cluster.client(), webTable("11", "12"));
  await director.follow();
  assert.deepEqual(director.servers, ["11*1", "12*1"]);
  const { condition, applied, wanted } = director.agent.state;
  assert.deepEqual([condition, applied, wanted], ["ok", 1, 1]);
});

test("an agent keeps its table when the pointer, or every key, is deleted", async () => {
  const cluster = new MemoryCluster();
  const director = new Director(cluster);
  await release(cluster.client(), webTable("11", "12"));
  drainHost(cluster, "12");
  await director.follow();
  assert.deepEqual(director.servers, ["11*1", "12*0"]);
  cluster.commit(
    [],
    cluster.values().map(({ key }) => ({ remove: key })),
  );
  await director.follow();
  director.agent.take([{ key: KEYS.head("web"), value: undefined }]);
  await director.agent.settle(NEVER);
  assert.deepEqual(director.servers, ["11*1", "12*0"]);
  await director.restart();
  await director.follow();
  assert.deepEqual(director.servers, ["11*1", "12*0"]);
});

test("an agent that heals keeps its drains when every key is deleted, in any order of the events", async () => {
  const cluster = new MemoryCluster();
  const director = new Director(cluster, { heals: true });
  await release(cluster.client(), webTable("11", "12"));
  drainHost(cluster, "12");
  await director.follow();
  const keys = cluster.values().map(({ key }) => key);
  cluster.commit(
    [],
    keys.map((key) => ({ remove: key })),
  );
  // The watch of the drains may be ahead of that of the pointer.
  for (const key of [...keys].sort()) {
    director.agent.take([{ key, value: undefined }]);
    await director.agent.settle(NEVER);
    await director.agent.lookForDrift(NEVER);
    assert.deepEqual(director.servers, ["11*1", "12*0"], key);
  }
});

test("an agent keeps its table when the store is lost, at any call", async () => {
  const cluster = new MemoryCluster();
  await release(cluster.client(), webTable("11"));
  let trouble: StoreTrouble | undefined;
  const store = cluster.client(() => trouble);
  const director = new Director(cluster, {}, { store });
  await director.follow();
  await release(cluster.client(), webTable("11", "12"));
  trouble = "unreachable";
  await assert.rejects(director.follow(), StoreError);
  await director.agent.lookForDrift(NEVER);
  assert.deepEqual(director.servers, ["11*1"]);
  assert.equal(director.agent.state.condition, "ok");
  trouble = undefined;
  await director.follow();
  assert.deepEqual(director.servers, ["11*1", "12*1"]);
});

test("after a reboot, an agent applies its disk copy before the store answers, with drains", async () => {
  const cluster = new MemoryCluster();
  const troubles: StoreTrouble[] = [];
  const store = cluster.client(() => troubles[0]);
  const director = new Director(cluster, {}, { store });
  await release(cluster.client(), webTable("11", "12"));
  drainHost(cluster, "12");
  await director.follow();
  troubles.push("unreachable");
  await director.reboot();
  assert.deepEqual(director.servers, ["11*1", "12*0"]);
});

test("an agent that restarts without a reboot changes nothing before the store answers", async () => {
  const cluster = new MemoryCluster();
  const director = new Director(cluster);
  await release(cluster.client(), webTable("11"));
  await director.follow();
  director.kernel.apply({ command: "flush" });
  await director.restart();
  assert.deepEqual(director.servers, []);
  await director.agent.lookForDrift(NEVER);
  assert.equal(director.agent.state.condition, "drifting");
});

test("an agent rolls back a revision that the kernel refuses, and says why", async () => {
  const cluster = new MemoryCluster();
  const director = new Director(cluster);
  await release(cluster.client(), webTable("11"));
  await director.follow();
  await release(cluster.client(), webTable("11", "12", "13"));
  director.trouble = (change) =>
    change.command === "add-server" && change.server.address[3] === 13
      ? EINVAL
      : undefined;
  await director.follow();
  assert.deepEqual(director.servers, ["11*1"]);
  const { condition, reason, applied, wanted } = director.agent.state;
  assert.deepEqual([condition, applied, wanted], ["failed", 1, 2]);
  assert.match(reason ?? "", /10\.0\.0\.13.*rolled back/);
  // The disk copy is the one that the kernel has.
  await director.reboot();
  assert.deepEqual(director.servers, ["11*1"]);
  director.trouble = () => undefined;
  await director.follow();
  assert.deepEqual(director.servers, ["11*1", "12*1", "13*1"]);
  assert.equal(director.agent.state.condition, "ok");
});

test("an agent tries a failed revision again only when it is told to", async () => {
  const cluster = new MemoryCluster();
  const director = new Director(cluster);
  await release(cluster.client(), webTable("11"));
  director.trouble = () => EINVAL;
  await director.follow();
  director.trouble = () => undefined;
  assert.equal(director.agent.mustFetch, false);
  await director.agent.settle(NEVER);
  assert.deepEqual(director.servers, []);
  director.agent.retry();
  await director.agent.settle(NEVER);
  assert.deepEqual(director.servers, ["11*1"]);
});

test("an agent refuses to remove too much, unless the publisher forced it", async () => {
  const cluster = new MemoryCluster();
  const kernel = new ModelKernel(
    asCurrentState(webTable("21", "22", "23", "24")),
  );
  const director = new Director(cluster, {}, { kernel });
  await release(cluster.client(), webTable("11"));
  await director.follow();
  assert.equal(director.servers.length, 4);
  assert.match(
    director.agent.state.reason ?? "",
    /removes 4 of 4 real servers/,
  );
  await release(cluster.client(), webTable("11"), { force: true });
  await director.follow();
  assert.deepEqual(director.servers, ["11*1"]);
});

test("an agent counts real servers that a revision gives weight 0 as removed, but not drained ones", async () => {
  const cluster = new MemoryCluster();
  const director = new Director(cluster);
  await release(cluster.client(), webTable("11", "12", "13", "14"));
  await director.follow();
  await assert.rejects(
    release(cluster.client(), webTable("11*0", "12*0", "13*0", "14")),
    /sets the weight of 3 to 0, more than 50%/,
  );
  await release(cluster.client(), webTable("11*0", "12*0", "13"), {
    force: true,
  });
  await director.follow();
  assert.deepEqual(director.servers, ["11*0", "12*0", "13*1"]);
  const kernel = new ModelKernel(
    asCurrentState(webTable("11", "12", "13", "14")),
  );
  const strict = new Director(cluster, { director: "lb2" }, { kernel });
  await release(cluster.client(), webTable("11*0", "12*0", "13", "15"), {
    force: false,
  });
  await strict.follow();
  assert.deepEqual(strict.servers, ["11*1", "12*1", "13*1", "14*1"]);
  assert.match(
    strict.agent.state.reason ?? "",
    /of 4 real servers, it removes 1 and sets the weight of 2 to 0, more than 50%/,
  );
  // An operator wants the drains, so they do not count.
  for (const host of ["11", "12", "13"]) drainHost(cluster, host);
  await strict.follow();
  assert.deepEqual(strict.servers, ["11*0", "12*0", "13*0", "15*1"]);
});

test("an agent whose disk is full changes nothing, says so, and goes on when there is room", async () => {
  const cluster = new MemoryCluster();
  const director = new Director(cluster);
  await release(cluster.client(), webTable("11"));
  await director.follow();
  await release(cluster.client(), webTable("11", "12"));
  director.step = (what) => {
    if (what === "before the file is written")
      throw new OutputFailed("/var/lib/ipvsadm/fleet.json", "ENOSPC", {
        existed: true,
      });
  };
  await director.follow();
  assert.deepEqual(director.servers, ["11*1"]);
  const { condition, reason } = director.agent.state;
  assert.equal(condition, "failed");
  assert.match(
    reason ?? "",
    /cannot write .*fleet\.json: No space left on device/,
  );
  director.step = () => undefined;
  await director.restart();
  await director.follow();
  assert.deepEqual(director.servers, ["11*1", "12*1"]);
  assert.equal(director.agent.state.condition, "ok");
});

test("an agent empties its table only if the revision allows that", async () => {
  const cluster = new MemoryCluster();
  const director = new Director(cluster);
  await release(cluster.client(), webTable("11", "12", "13"));
  await director.follow();
  await release(cluster.client(), EMPTY, { allowEmpty: true });
  await director.follow();
  assert.deepEqual(director.servers, []);
  assert.equal(director.agent.state.condition, "ok");
});

test("an agent refuses a damaged revision", async () => {
  const cluster = new MemoryCluster();
  const director = new Director(cluster);
  await release(cluster.client(), webTable("11"));
  await director.follow();
  await release(cluster.client(), webTable("11", "12"));
  cluster.commit(
    [],
    [{ put: KEYS.content("web", 2), value: Buffer.from("damaged") }],
  );
  await director.follow();
  assert.deepEqual(director.servers, ["11*1"]);
  assert.match(director.agent.state.reason ?? "", /does not match its hash/);
});

test("an agent ignores malformed records, and goes on", async () => {
  const cluster = new MemoryCluster();
  const director = new Director(cluster);
  await release(cluster.client(), webTable("11"));
  for (const key of [KEYS.order("lb1"), KEYS.drain("x")])
    cluster.commit([], [{ put: key, value: Buffer.from("\x1b[2J{") }]);
  await director.follow();
  assert.deepEqual(director.servers, ["11*1"]);
  assert.equal(
    director.log.filter((line) => line.includes("malformed")).length,
    2,
  );
});

test("an agent reports drift, and takes it back only if it heals", async () => {
  for (const heals of [false, true]) {
    const cluster = new MemoryCluster();
    const director = new Director(cluster, { heals });
    await release(cluster.client(), webTable("11", "12"));
    await director.follow();
    director.kernel.apply({
      command: "delete-server",
      service: WEB,
      server: { address: address("10.0.0.12"), port: 80 },
    });
    await director.agent.lookForDrift(NEVER);
    const { condition, drift } = director.agent.state;
    assert.equal(condition, heals ? "ok" : "drifting");
    assert.deepEqual(drift, { add: heals ? 0 : 1, change: 0, remove: 0 });
    assert.deepEqual(director.servers, heals ? ["11*1", "12*1"] : ["11*1"]);
  }
});

test("healing and new revisions never undo a drain, of the fleet or of this machine", async () => {
  const cluster = new MemoryCluster();
  const director = new Director(cluster, { heals: true });
  await release(cluster.client(), webTable("11", "12", "13"));
  await director.follow();
  drainHost(cluster, "12");
  director.drainedHere = ["13"];
  await director.follow();
  assert.deepEqual(director.servers, ["11*1", "12*0", "13*0"]);
  await release(cluster.client(), webTable("11*5", "12*5", "13*5"));
  await director.follow();
  assert.deepEqual(director.servers, ["11*5", "12*0", "13*0"]);
  assert.equal(director.agent.state.condition, "ok");
});

test("a drain changes only the weight of its server; other drift stays", async () => {
  const cluster = new MemoryCluster();
  const director = new Director(cluster);
  await release(cluster.client(), webTable("11", "12"));
  await director.follow();
  const [service] = webTable("11*9").services;
  const [server] = service?.servers ?? [];
  assert.ok(server);
  director.kernel.apply({
    command: "edit-server",
    service: WEB,
    server: server.key,
    settings: server.settings,
  });
  const key = drainHost(cluster, "12");
  await director.follow();
  assert.deepEqual(director.servers, ["11*9", "12*0"]);
  assert.deepEqual(director.agent.state.drift, {
    add: 0,
    change: 1,
    remove: 0,
  });
  cluster.commit([], [{ remove: key }]);
  await director.follow();
  assert.deepEqual(director.servers, ["11*9", "12*1"]);
});

test("a drain is reported as empty after two readings, and as absent without the server", async () => {
  const cluster = new MemoryCluster();
  const director = new Director(cluster);
  await release(cluster.client(), webTable("11", "12"));
  await director.follow();
  drainHost(cluster, "12");
  drainHost(cluster, "99");
  await director.agent.read(NEVER);
  await director.agent.settle(NEVER);
  const states = () =>
    director.agent.state.drains.map(({ id, state }) => [id, state]);
  assert.deepEqual(states(), [
    ["* 10.0.0.12", "busy"],
    ["* 10.0.0.99", "absent"],
  ]);
  await director.agent.lookForDrift(NEVER);
  assert.deepEqual(states()[0], ["* 10.0.0.12", "empty"]);
});

test("a paused director applies no revision and heals nothing, but drains", async () => {
  const cluster = new MemoryCluster();
  const store = cluster.client();
  const director = new Director(cluster, { heals: true });
  await release(store, webTable("11", "12"));
  await director.follow();
  await updateOrder(store, KEYS, "lb1", (order) => ({
    ...order,
    paused: true,
  }));
  await release(store, webTable("11", "12", "13"));
  await director.follow();
  assert.deepEqual(director.servers, ["11*1", "12*1"]);
  drainHost(cluster, "12");
  await director.follow();
  assert.deepEqual(director.servers, ["11*1", "12*0"]);
  assert.equal(director.agent.state.paused, true);
  // It stays paused without the store.
  await director.restart();
  assert.equal(director.agent.state.paused, true);
  await updateOrder(store, KEYS, "lb1", (order) => ({
    ...order,
    paused: false,
  }));
  await director.follow();
  assert.deepEqual(director.servers, ["11*1", "12*0", "13*1"]);
});

test("an order gives a director another revision than the released one", async () => {
  const cluster = new MemoryCluster();
  const store = cluster.client();
  const director = new Director(cluster);
  await release(store, webTable("11"));
  await release(store, webTable("11", "12"), { release: false });
  await director.follow();
  assert.deepEqual(director.servers, ["11*1"]);
  await updateOrder(store, KEYS, "lb1", (order) => ({
    ...order,
    wanted: { table: "web", revision: 2 },
  }));
  await director.follow();
  assert.deepEqual(director.servers, ["11*1", "12*1"]);
  await updateOrder(store, KEYS, "lb1", () => ({ paused: false }));
  await director.follow();
  assert.deepEqual(director.servers, ["11*1"]);
});

test("a dry run changes neither the kernel nor the disk, and reports what it would change", async () => {
  const cluster = new MemoryCluster();
  const director = new Director(cluster, { dryRun: true, heals: true });
  await release(cluster.client(), webTable("11", "12"));
  drainHost(cluster, "12");
  await director.restart();
  await director.follow();
  assert.deepEqual(director.servers, []);
  assert.equal(director.file, undefined);
  assert.deepEqual(director.agent.state.drift, {
    add: 3,
    change: 0,
    remove: 0,
  });
});

test("an agent ignores a damaged disk copy, and logs it", async () => {
  const cluster = new MemoryCluster();
  const director = new Director(cluster);
  await release(cluster.client(), webTable("11"));
  director.file = '{"schema": "ipvsadm/fleet-copy/1", "bootId": ';
  await director.restart();
  assert.match(director.log.join("\n"), /malformed record the disk copy/);
  await director.follow();
  assert.deepEqual(director.servers, ["11*1"]);
});

test("after a reboot, an agent does not apply a disk copy that does not match its hash", async () => {
  const cluster = new MemoryCluster();
  const director = new Director(cluster);
  await release(cluster.client(), webTable("11"));
  await director.follow();
  // One bit of the content is another one.
  const { file = "" } = director;
  director.file = file.replace(
    /"content":"[^"]{200}./,
    (text) => text.slice(0, -1) + (text.endsWith("A") ? "B" : "A"),
  );
  assert.notEqual(director.file, file);
  await director.reboot();
  assert.match(director.log.join("\n"), /does not match its hash/);
  assert.deepEqual(director.servers, []);
  await director.follow();
  assert.deepEqual(director.servers, ["11*1"]);
});

test("an agent that is killed at any step ends with the old or the new revision, and then with the new one", async () => {
  let died = true;
  let steps = 0;
  for (; died; steps++)
    for (const then of ["restart", "reboot"] as const) {
      const cluster = new MemoryCluster();
      let trouble: StoreTrouble | undefined;
      const store = cluster.client(() => trouble);
      const director = new Director(cluster, {}, { store });
      await release(cluster.client(), webTable("11", "12", "13"));
      await director.follow();
      const before = director.servers;
      await release(cluster.client(), webTable("11*2", "13", "14"));
      died = await director.killedAt(steps);
      trouble = "unreachable"; // what the agent can do by itself
      await director[then]();
      const after = ["11*2", "13*1", "14*1"];
      assert.ok(
        [before, after].some((one) => one.join() === director.servers.join()),
        `killed at step ${steps}, ${then}: ${director.servers.join()}`,
      );
      trouble = undefined;
      await director.follow();
      assert.deepEqual(director.servers, after);
    }
  assert.ok(steps > 12, `${steps} steps`);
});
