import { readFleet } from "../../src/fleet/fleet-report.js";
import { FleetKeys } from "../../src/fleet/keys.js";
import { publish } from "../../src/fleet/publish.js";
import { recordBytes } from "../../src/fleet/record.js";
import type { Table } from "../../src/ipvs/table.js";
import { ModelKernel } from "../plan/model-kernel.js";
import { TestCluster } from "../store/etcd-cluster.js";
import { usageOf } from "./cluster-usage.js";
import { scaleTable } from "./scale-table.js";
import { SimulatedDirector } from "./simulated-director.js";

/*
 * node dist/test/fleet/scale.js ETCD_FOLDER AGENTS SERVICES SPLAY_SECONDS…: measures how long it takes until all of many directors have a
 * revision, and what that costs a real etcd of three members. The directors run in this process, with the real client and a
 * model of the kernel, so their own work is a large part of the time on a small machine.
 */

const KEYS = new FleetKeys("/scale/");

async function release(cluster: TestCluster, table: Table): Promise<number> {
  const store = cluster.store();
  const { revision } = await publish(store, KEYS, {
    name: "web",
    table,
    author: "scale",
    message: "scale",
    at: new Date().toISOString(),
    id: String(Math.random()),
    release: true,
    force: true,
    allowEmpty: false,
  });
  store.close();
  return revision.bytes;
}

/** Waits until all directors have a weight. @returns the seconds that each one took, sorted */
async function timesUntil(
  directors: readonly SimulatedDirector[],
  weight: number,
): Promise<number[]> {
  const start = performance.now();
  const waiting = new Set(directors);
  const times: number[] = [];
  while (waiting.size > 0) {
    for (const director of waiting) {
      const [service] = director.kernel.current.services;
      if (service?.servers[0]?.settings.weight !== weight) continue;
      times.push((performance.now() - start) / 1000);
      waiting.delete(director);
    }
    if (performance.now() - start > 200_000)
      throw new Error(`${waiting.size} directors do not have it`);
    await new Promise((resolve) => {
      setTimeout(resolve, 100);
    });
  }
  return times;
}

/** What one reading of all reports costs, such as 'fleet status' makes, and a rollout every second. */
async function reportsOf(cluster: TestCluster): Promise<string> {
  const store = cluster.store();
  const start = performance.now();
  const { directors } = await readFleet(store, KEYS);
  const seconds = (performance.now() - start) / 1000;
  const { found } = await store.range(KEYS.directors);
  store.close();
  const bytes = found.reduce(
    (sum, { key, value }) => sum + key.length + value.length,
    0,
  );
  return `all reports: ${directors.length} directors, ${bytes} bytes, ${seconds.toFixed(2)} s`;
}

/** How much the database grows with each report of a load, until it is compacted, and how many of them etcd takes. */
async function growth(cluster: TestCluster): Promise<string> {
  const count = 5000;
  const clients = 20;
  const value = recordBytes({
    at: new Date().toISOString(),
    ...{ activeConnections: 12_345, inactiveConnections: 23_456 },
    ...{ connectionsPerSecond: 1234, inBytesPerSecond: 12_345_678 },
    outBytesPerSecond: 123_456_789,
  });
  const stores = Array.from({ length: clients }, () => cluster.store());
  const before = databaseBytes(cluster);
  const start = performance.now();
  await Promise.all(
    stores.map(async (store, client) => {
      for (let i = 0; i < count / clients; i++)
        await store.commit([], [{ put: KEYS.load(`lb${client}`), value }]);
    }),
  );
  const seconds = (performance.now() - start) / 1000;
  const bytes = databaseBytes(cluster) - before;
  for (const store of stores) store.close();
  return `${count} reports of ${value.length} bytes by ${clients} directors: ${(count / seconds).toFixed(0)} per second, the database grows by ${(bytes / count).toFixed(0)} bytes each`;
}

function databaseBytes(cluster: TestCluster): number {
  const [member] = JSON.parse(
    cluster.etcdctl("endpoint", "status", "-w", "json"),
  ) as readonly { readonly Status: { readonly dbSizeInUse: number } }[];
  return member?.Status.dbSizeInUse ?? 0;
}

const [agents = 100, services = 10, ...splays] = process.argv
  .slice(3)
  .map(Number);

await using cluster = await TestCluster.start({ members: 3 });
const bytes = await release(cluster, scaleTable(services, 3, 1));
const idle = usageOf(cluster);
console.log(
  `${agents} directors, ${services} services x 3 servers, ${bytes} bytes with gzip`,
);
for (const splay of splays) {
  const directors = Array.from({ length: agents }, (_, i) => {
    const times = {
      splay: splay * 1000,
      interval: 300_000,
      report: 10_000,
      silence: 60_000,
    };
    const kernel = new ModelKernel({ services: [] });
    const store = cluster.store();
    return new SimulatedDirector(store, KEYS, `lb${i + 1}`, kernel, times);
  });
  const weight = 2 + splays.indexOf(splay);
  const started = performance.now();
  for (const director of directors) director.start();
  await timesUntil(directors, weight - 1);
  const settled = (performance.now() - started) / 1000;
  const before = usageOf(cluster);
  const own = process.cpuUsage();
  await release(cluster, scaleTable(services, 3, weight));
  const times = await timesUntil(directors, weight);
  const after = usageOf(cluster);
  const { user, system } = process.cpuUsage(own);
  const reports = await reportsOf(cluster);
  const at = (share: number) =>
    times[Math.floor((times.length - 1) * share)]?.toFixed(1) ?? "?";
  console.log(
    [
      `splay ${splay} s: all started and up to date after ${settled.toFixed(1)} s`,
      `new revision: half after ${at(0.5)} s, 99% after ${at(0.99)} s, all after ${at(1)} s`,
      `etcd, three members: ${(after.cpu - before.cpu).toFixed(1)} s CPU, ${after.megabytes.toFixed(0)} MB (idle: ${idle.megabytes.toFixed(0)} MB)`,
      reports,
      `directors: ${((user + system) / 1e6).toFixed(1)} s CPU`,
    ].join("; "),
  );
  for (const director of directors) director.die();
}
console.log(await growth(cluster));
