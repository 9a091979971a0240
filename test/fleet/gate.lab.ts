import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { isAnswer, startServer, type Server } from "../lab/http.js";
import { buildNetwork, DIRECTOR, type Network } from "../lab/network.js";
import { ours } from "../lab/program.js";
import { startCaller } from "../traffic/caller.js";
import { LabFleet, until, type RunningAgent } from "./lab-fleet.js";

/* The gates of 'ipvsadm fleet rollout' with the kernel's own ip_vs, real connections and a real etcd. */

const VIRTUAL = "192.0.2.100";
const REAL = "192.0.2.11";
/** Nobody has this address. */
const MISSING = "192.0.2.99";
/** Half of the requests get no answer. */
const PATIENCE_SECONDS = 2;

let network: Network;
let server: Server;
let lab: LabFleet;
let agent: RunningAgent;
let traffic: Traffic;

/** Requests of the client, one after the other, until they are stopped. */
class Traffic {
  answers = 0;
  failures = 0;
  #stopped = false;
  readonly #client = startCaller("client");
  readonly #running: Promise<void> = this.#run();

  async #run(): Promise<void> {
    while (!this.#stopped)
      for (const reply of await this.#client.get(`http://${VIRTUAL}/`, {
        count: 20,
        patienceSeconds: PATIENCE_SECONDS,
      }))
        if (isAnswer(reply)) this.answers++;
        else this.failures++;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
    await this.#client.stop();
  }
}

before(async () => {
  const servers = {
    "net.ipv4.conf.all.arp_ignore": 1,
    "net.ipv4.conf.all.arp_announce": 2,
  };
  network = buildNetwork({
    client: { addresses: { lan: ["192.0.2.10/24"] } },
    [DIRECTOR]: { addresses: { lan: ["192.0.2.1/24", `${VIRTUAL}/32`] } },
    real1: {
      addresses: { lan: [`${REAL}/24`], lo: [`${VIRTUAL}/32`] },
      sysctls: servers,
    },
  });
  server = await startServer("real1", [80]);
  lab = await LabFleet.start();
  await publish([REAL]);
  agent = lab.agent();
  await lab.allOk();
  traffic = new Traffic();
});

after(async () => {
  await traffic.stop();
  await agent[Symbol.asyncDispose]();
  await lab[Symbol.asyncDispose]();
  await server.stop();
  network[Symbol.dispose]();
});

async function publish(
  servers: readonly string[],
  ...more: readonly string[]
): Promise<void> {
  const service = `-t ${VIRTUAL}:80`;
  const rules = servers.map((one) => `-a ${service} -r ${one} -g`);
  const { status, stderr } = await lab.run(
    ["publish", "web", "-", "-m", `servers ${servers.join()}`, ...more],
    `-A ${service} -s rr\n${rules.join("\n")}\n`,
  );
  assert.equal(status, 0, stderr);
}

/** A rollout with some gates. */
function rollout(...gates: readonly string[]) {
  return lab.run([
    ...["rollout", "web", "--soak", "8s", "--timeout", "300s"],
    ...["--gate", gates.join()],
  ]);
}

/** All directors get the released revision, whose only server answers. */
async function abort(): Promise<void> {
  const { status, stderr } = await lab.run(["rollout", "web", "abort"]);
  assert.equal(status, 0, stderr);
  await until("the missing server is gone", async () => {
    const { stdout } = await ours(["-Sn"]);
    return !stdout.includes(MISSING);
  });
  await lab.allOk();
}

test("fleet rollout --gate failing stops at a revision whose server cannot be reached", async () => {
  await publish([REAL, MISSING], "--stage");
  const { status, stderr, stdout } = await rollout("failing=5%");
  assert.equal(status, 1, stdout);
  assert.match(
    stderr,
    /stopped: lb1 fails the gate failing=5%: [0-9]+ of [0-9]+ new connections of tcp\/192\.0\.2\.100:80 \([0-9.]+%\) got no answer within [0-9]+ s/,
  );
  // What stopped it stays to be read until the rollout is aborted.
  const status1 = await lab.run(["status", "-o", "json"]);
  assert.match(status1.stdout, /"failing": [1-9]/);
  await abort();
});

test("fleet rollout --gate doctor stops at a revision whose server cannot be reached", async () => {
  const { status, stderr, stdout } = await rollout("doctor");
  assert.equal(status, 1, stdout);
  assert.match(
    stderr,
    /stopped: lb1 fails the gate doctor: [0-9]+ errors? \([^)]*192\.0\.2\.99/,
  );
  await abort();
});

test("fleet rollout passes both gates with servers that answer, and asks for nothing afterwards", async () => {
  network.sh("real1", `ip address add ${MISSING}/24 dev lan`);
  const before = traffic.answers;
  const { status, stderr, stdout } = await rollout("doctor", "failing=5%");
  assert.deepEqual([stderr, status], ["", 0], stdout);
  assert.match(stdout, /done: revision 2 of table web is released/);
  assert.ok(traffic.answers > before);
  await until("the report is removed", async () => {
    const { stdout: json } = await lab.run(["status", "-o", "json"]);
    return !json.includes('"examination"');
  });
});
