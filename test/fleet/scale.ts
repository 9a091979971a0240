import { readFileSync } from "node:fs";
import { readFleet } from "../../src/fleet/fleet-report.js";
import { FleetKeys } from "../../src/fleet/keys.js";
import { publish } from "../../src/fleet/publish.js";
import type { Table } from "../../src/ipvs/table.js";
import { ModelKernel } from "../plan/model-kernel.js";
import { TestCluster } from "../store/etcd-cluster.js";
import { scaleTable } from "./scale-table.js";
import { SimulatedDirector } from "./simulated-director.js";

/*
 * node dist/test/fleet/scale.js ETCD_FOLDER AGENTS SERVICES SPLAY_SECONDS…: measures how long it takes until all of many directors have a
 * revision, and what that costs a real etcd of three members. The directors run in this process, with the real client and a
 * model of the kernel, so their own work is a large part of the time on a small machine.
 */

const KEYS = new FleetKeys("/scale/");
const TICKS_PER_SECOND = 100;

/** CPU seconds and resident megabytes of a process. @see proc(5) */
function usageOf(pid: number | undefined): { cpu: number; megabytes: number } {
  const stat = readFileSync(`/proc/${pid ?? 0}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields[11]) + Number(fields[12]);
  const pages = Number(fields[21]);
  return { cpu: ticks / TICKS_PER_SECOND, megabytes: (pages * 4096) / 1e6 };
}

function sumOf(cluster: TestCluster) {
  const usages = cluster.members.map(({ pid }) => usageOf(pid));
  return {
    cpu: usages.reduce((sum, one) => sum + one.cpu, 0),
    megabytes: usages.reduce((sum, one) => sum + one.megabytes, 0),
  };
}

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

const [agents = 100, services = 10, ...splays] = process.argv
  .slice(3)
  .map(Number);

await using cluster = await TestCluster.start({ members: 3 });
const bytes = await release(cluster, scaleTable(services, 3, 1));
const idle = sumOf(cluster);
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
  const before = sumOf(cluster);
  const own = process.cpuUsage();
  await release(cluster, scaleTable(services, 3, weight));
  const times = await timesUntil(directors, weight);
  const after = sumOf(cluster);
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
