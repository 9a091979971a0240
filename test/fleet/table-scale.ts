import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { FleetKeys } from "../../src/fleet/keys.js";
import { publish } from "../../src/fleet/publish.js";
import { RevisionError } from "../../src/fleet/fleet-error.js";
import { textOfTable } from "../../src/fleet/table-text.js";
import { EtcdStore } from "../../src/store/etcd/etcd-store.js";
import { ModelKernel } from "../plan/model-kernel.js";
import { PAUSES, TestCluster } from "../store/etcd-cluster.js";
import { usageOf } from "./cluster-usage.js";
import { scaleTable, type Addresses } from "./scale-table.js";
import { SimulatedDirector } from "./simulated-director.js";

/*
 * node dist/test/fleet/table-scale.js ETCD_FOLDER SERVICES SERVERS [in-order|random]: measures what one large table costs on
 * its way through a real etcd of three members: the publisher and the agent are processes of their own. The agent has the
 * real client and a model of the kernel.
 */

const KEYS = new FleetKeys("/scale/");

const ROUNDS = 5;
const CLIENTS = 50;
const FETCHES = 10;
const TOO_LARGE = "not published";

const [, , etcd = "", ...rest] = process.argv;
const [services = 10_000, servers = 3] = rest.slice(0, 2).map(Number);
const addresses: Addresses = rest[2] === "random" ? "random" : "in-order";
const [role, endpoints = ""] = rest.slice(3);

const table = (weight: number) =>
  scaleTable(services, servers, weight, addresses);

function store(): EtcdStore {
  return new EtcdStore({
    endpoints: endpoints.split(","),
    certificates: () => ({}),
    pauses: PAUSES,
  });
}

/** Time and memory of this process, as a line. */
class Meter {
  #at = performance.now();
  #cpu = process.cpuUsage();

  line(what: string): string {
    const seconds = (performance.now() - this.#at) / 1000;
    const { user, system } = process.cpuUsage(this.#cpu);
    this.#at = performance.now();
    this.#cpu = process.cpuUsage();
    const megabytes = process.resourceUsage().maxRSS / 1024;
    return `${what}: ${seconds.toFixed(2)} s, ${((user + system) / 1e6).toFixed(2)} s CPU, at most ${megabytes.toFixed(0)} MB\n`;
  }
}

async function publisher(): Promise<void> {
  const client = store();
  let out = "";
  for (const weight of [1, 2]) {
    const wanted = table(weight);
    const meter = new Meter();
    const { revision } = await publish(client, KEYS, {
      ...{ name: "web", table: wanted, author: "scale", message: "scale" },
      ...{ at: new Date().toISOString(), id: String(Math.random()) },
      ...{ release: true, force: false, allowEmpty: false },
    });
    out += meter.line(
      `publish revision ${weight} (${revision.bytes} bytes with gzip)`,
    );
  }
  client.close();
  process.stdout.write(out);
}

async function agent(): Promise<void> {
  const client = store();
  const kernel = new ModelKernel({ services: [] });
  const meter = new Meter();
  let out = meter.line("agent: before it starts");
  const director = new SimulatedDirector(client, KEYS, "lb1", kernel, {
    ...{ splay: 0, interval: 1000, report: 60_000, silence: 180_000 },
  });
  director.start();
  await until(() => director.log.some((line) => line.includes(": applied")));
  out += meter.line("agent: fetch, check, apply, read back");
  const rounds = async (count: number) => {
    const before = director.rounds;
    await until(() => director.rounds >= before + count);
  };
  await rounds(1);
  meter.line("");
  await rounds(ROUNDS);
  out += meter.line(`agent: look for drift, ${ROUNDS} times`);
  await director[Symbol.asyncDispose]();
  client.close();
  process.stdout.write(out);
}

async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + 100_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error("it takes too long");
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }
}

/** How fast the members deliver the content, as when many directors fetch a revision. */
async function fetches(cluster: TestCluster): Promise<void> {
  const stores = Array.from({ length: CLIENTS }, () => cluster.store());
  const key = KEYS.content("web", 2);
  for (const store of stores) await store.get("any");
  const before = usageOf(cluster);
  const start = performance.now();
  let bytes = 0;
  await Promise.all(
    stores.map(async (store) => {
      for (let i = 0; i < FETCHES; i++) {
        const { found } = await store.get(key);
        bytes += found?.value.length ?? 0;
      }
    }),
  );
  const seconds = (performance.now() - start) / 1000;
  const cpu = usageOf(cluster).cpu - before.cpu;
  console.log(
    `${CLIENTS * FETCHES} fetches by ${CLIENTS} clients: ${(bytes / 1e6).toFixed(0)} MB in ${seconds.toFixed(2)} s; etcd, three members: ${cpu.toFixed(2)} s CPU`,
  );
}

async function measure(): Promise<void> {
  await using cluster = await TestCluster.start({ members: 3 });
  const text = textOfTable(table(1));
  console.log(
    `${services} services x ${servers} servers, addresses ${addresses}: ${text.length} bytes of JSON`,
  );
  const run = promisify(execFile);
  const words = [etcd, services, servers, addresses].map(String);
  for (const part of ["publisher", "agent"]) {
    const { stdout } = await run(process.execPath, [
      ...[fileURLToPath(import.meta.url), ...words, part],
      cluster.endpoints.join(","),
    ]);
    process.stdout.write(stdout);
    if (stdout.includes(TOO_LARGE)) return;
  }
  await fetches(cluster);
}

if (role === "publisher")
  await publisher().catch((error: unknown) => {
    if (!(error instanceof RevisionError)) throw error;
    console.log(`${TOO_LARGE}: ${error.detail}`);
    process.exit();
  });
else if (role === "agent") await agent();
else await measure();
