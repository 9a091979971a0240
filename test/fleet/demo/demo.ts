/**
 * A fleet at work: three directors behind ECMP, an agent on each, one member of etcd, and a client that makes requests all
 * the time. A rollout, a rollout of a bad revision, a drain and the loss of etcd must not let a request fail. The exit
 * status is 1 if one does. Needs a kernel with ip_vs; `npm run demo:fleet` provides one.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isAnswer, request, startServer, type Reply } from "../../lab/http.js";
import {
  buildNetwork,
  commandOn,
  DIRECTOR,
  type HostPlan,
  type NetworkPlan,
} from "../../lab/network.js";
import { ours } from "../../lab/program.js";
import { TestCluster } from "../../store/etcd-cluster.js";
import { validated } from "../fleet-schema.js";

const VIRTUAL = "203.0.113.100";
const STORE = "192.0.2.200";
const DIRECTORS = ["lb1", "lb2", "lb3"];
const SERVERS = { real1: "192.0.2.11", real2: "192.0.2.12" };

const DRAWING = `
  network lan (192.0.2.0/24)
    client       192.0.2.10, which spreads its connections over the directors (ECMP)
    lb1 to lb3   192.0.2.1 to 192.0.2.3, and ${VIRTUAL}: the service by direct routing
    real1        ${SERVERS.real1}
    real2        ${SERVERS.real2}
    this host    ${STORE}: etcd`;

function directorPlan(number: number): HostPlan {
  return {
    addresses: {
      lan: [`192.0.2.${number}/24`],
      lo: [`${VIRTUAL}/32`],
    },
    sysctls: { "net.ipv4.ip_forward": 1, "net.ipv4.conf.all.arp_ignore": 1 },
  };
}

function serverPlan(address: string): HostPlan {
  return {
    addresses: { lan: [`${address}/24`], lo: [`${VIRTUAL}/32`] },
    sysctls: {
      "net.ipv4.conf.all.arp_ignore": 1,
      "net.ipv4.conf.all.arp_announce": 2,
    },
  };
}

const NETWORK: NetworkPlan = {
  client: {
    addresses: { lan: ["192.0.2.10/24"] },
    sysctls: { "net.ipv4.fib_multipath_hash_policy": 1 },
    routes: [
      `${VIRTUAL} nexthop via 192.0.2.1 nexthop via 192.0.2.2 nexthop via 192.0.2.3`,
    ],
  },
  [DIRECTOR]: { addresses: { lan: [`${STORE}/24`] } },
  lb1: directorPlan(1),
  lb2: directorPlan(2),
  lb3: directorPlan(3),
  real1: serverPlan(SERVERS.real1),
  real2: serverPlan(SERVERS.real2),
};

function say(text: string): void {
  console.log(`\n${text}`);
}

/** Requests of the client, one after the other, until they are stopped. */
class Traffic {
  readonly replies: Reply[] = [];
  #stopped = false;
  readonly #running: Promise<void>;

  constructor() {
    this.#running = this.#run();
  }

  async #run(): Promise<void> {
    while (!this.#stopped)
      this.replies.push(...(await request("client", `http://${VIRTUAL}/`, 40)));
  }

  get failures(): string[] {
    return this.replies.flatMap((reply) =>
      isAnswer(reply) ? [] : [reply.failure],
    );
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }
}

class Demo {
  readonly #cluster: TestCluster;
  readonly #folder = mkdtempSync(join(tmpdir(), "ipvsadm-demo-"));
  readonly #agents: ChildProcess[] = [];

  constructor(cluster: TestCluster) {
    this.#cluster = cluster;
  }

  /** Runs an action of fleet and shows it. @returns its exit status and output */
  async fleet(words: readonly string[], stdin = "") {
    const { stdout, stderr, status } = await ours(
      ["fleet", ...words, "--endpoints", this.#cluster.endpoints.join(",")],
      stdin,
      { environment: (name) => (name === "USER" ? "alice" : undefined) },
    );
    console.log(`\n$ ipvsadm fleet ${words.join(" ")}`);
    process.stdout.write(`${stdout}${stderr}`);
    return { stdout, stderr, status };
  }

  /** Publishes the service. @param weights of real1 and real2 */
  publish(
    message: string,
    weights: readonly [number, number],
    { scheduler = "rr", more = [] as readonly string[] } = {},
  ) {
    const [one, two] = weights;
    const service = `-t ${VIRTUAL}:80`;
    return this.fleet(
      ["publish", "web", "-", "-m", message, ...more],
      `-A ${service} -s ${scheduler}\n-a ${service} -r ${SERVERS.real1} -g -w ${one}\n-a ${service} -r ${SERVERS.real2} -g -w ${two}\n`,
    );
  }

  startAgents(): void {
    for (const name of DIRECTORS) {
      const [file = "", ...words] = commandOn(name, [
        ...[process.execPath, "dist/bin/ipvsadm.cjs", "fleet", "agent"],
        ...["--table", "web", "--director", name],
        ...["--interval", "3s", "--splay", "1s", "--report", "3s"],
        ...["--deadline", "5s", "--copy", join(this.#folder, `${name}.json`)],
        ...["--endpoints", this.#cluster.endpoints.join(",")],
      ]);
      const agent = spawn(file, words, {
        stdio: ["ignore", "pipe", "inherit"],
      });
      agent.stdout.on("data", (text: Buffer) => {
        for (const line of text.toString().trimEnd().split("\n"))
          console.log(`  ${name}: ${line}`);
      });
      this.#agents.push(agent);
    }
  }

  /** Waits until all directors are ok. */
  async allOk(): Promise<void> {
    const end = Date.now() + 150_000;
    for (;;) {
      const { stdout } = await ours([
        ...["fleet", "status", "-o", "json"],
        ...["--endpoints", this.#cluster.endpoints.join(",")],
      ]);
      const { directors } = validated(stdout);
      const ok = directors.filter(({ state }) => state === "ok");
      if (ok.length === DIRECTORS.length) return;
      if (Date.now() > end)
        throw new Error(`not all directors are ok: ${stdout}`);
      await new Promise((resolve) => {
        setTimeout(resolve, 2000);
      });
    }
  }

  async stop(): Promise<void> {
    for (const agent of this.#agents) {
      if (agent.exitCode !== null) continue;
      agent.kill("SIGTERM");
      await once(agent, "exit");
    }
    rmSync(this.#folder, { recursive: true });
  }
}

const faults: string[] = [];

function expect(holds: boolean, claim: string): void {
  console.log(`  ${holds ? "ok    " : "FAILED"} ${claim}`);
  if (!holds) faults.push(claim);
}

async function run(demo: Demo, cluster: TestCluster): Promise<void> {
  await demo.publish("first table", [1, 1]);
  say("An agent starts on each director.");
  demo.startAgents();
  await demo.allOk();
  await demo.fleet(["status"]);
  say("The client makes requests from now on.");
  const traffic = new Traffic();

  say("A revision in two waves:");
  await demo.publish("real1 gets more", [3, 1], { more: ["--stage"] });
  const waves = ["--wave", "1,all", "--soak", "3s"];
  const good = await demo.fleet(["rollout", "web", ...waves]);
  expect(good.status === 0, "the rollout is done");

  say("A revision that no kernel accepts:");
  await demo.publish("a mistake", [3, 1], {
    scheduler: "nosuch",
    more: ["--stage"],
  });
  const bad = await demo.fleet(["rollout", "web", ...waves]);
  expect(
    bad.status === 1 && bad.stderr.includes("stopped: lb1 failed"),
    "the rollout stops at the first director",
  );
  await demo.fleet(["rollout", "web", "abort"]);
  await demo.allOk();

  say("real2 is drained on all directors:");
  const drained = await demo.fleet([
    ...["drain", "--all-services", SERVERS.real2, "--timeout", "120s"],
  ]);
  expect(drained.status === 0, "the drain is done");
  await demo.fleet(["undrain", "--all-services", SERVERS.real2]);
  await demo.allOk();

  say("etcd is killed:");
  const [member] = cluster.members;
  await member?.kill();
  const before = traffic.replies.length;
  while (traffic.replies.length < before + 80)
    await new Promise((resolve) => {
      setTimeout(resolve, 500);
    });
  say("etcd is started again:");
  member?.start();
  await cluster.ready();
  await demo.allOk();
  await demo.fleet(["status"]);
  await traffic.stop();
  const { replies, failures } = traffic;
  expect(replies.length > 200, `${replies.length} requests were made`);
  expect(
    failures.length === 0,
    `no request failed${failures.length === 0 ? "" : `: ${failures.join(", ")}`}`,
  );
  const answered = new Set(
    replies.flatMap((one) => (isAnswer(one) ? [one.server] : [])),
  );
  expect(
    answered.size === 2,
    `answers of ${[...answered].sort().join(" and ")}`,
  );
}

say("Each host is a network namespace:");
console.log(DRAWING);
using network = buildNetwork(NETWORK);
network.sh(DIRECTOR, "true");
const servers = [
  await startServer("real1", [80]),
  await startServer("real2", [80]),
];
say("etcd starts. In a guest, that takes a minute.");
const cluster = await TestCluster.start({ slow: true, address: STORE });
const demo = new Demo(cluster);
try {
  await run(demo, cluster);
} catch (error) {
  faults.push(String(error));
  console.error(`demo: ${String(error)}`);
} finally {
  await demo.stop();
  await cluster[Symbol.asyncDispose]();
  for (const server of servers) await server.stop();
}
say(
  faults.length === 0
    ? "All checks passed."
    : `${faults.length} checks FAILED.`,
);
process.exitCode = faults.length === 0 ? 0 : 1;
