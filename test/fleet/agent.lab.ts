import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ours } from "../lab/program.js";
import { TestCluster } from "../store/etcd-cluster.js";
import type { EndingSignal } from "../../src/system/signals.js";

/* 'ipvsadm fleet agent' with the kernel's own ip_vs and a real etcd. */

let cluster: TestCluster;
let folder: string;

before(async () => {
  cluster = await TestCluster.start({ slow: true });
  folder = mkdtempSync(join(tmpdir(), "ipvsadm-fleet-"));
});

after(async () => {
  await cluster[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
  await ours(["-C"]);
});

const WEB = "192.0.2.1:80";

async function fleet(words: readonly string[], stdin = "") {
  const outcome = await ours(
    ["fleet", ...words, "--endpoints", cluster.endpoints.join(",")],
    stdin,
  );
  return outcome;
}

/** Publishes the servers of a service, such as `11` for 10.0.0.11. */
async function publish(
  hosts: readonly string[],
  { scheduler = "wlc", more = [] as readonly string[] } = {},
): Promise<void> {
  const servers = hosts.map((host) => `-a -t ${WEB} -r 10.0.0.${host} -m`);
  const { status, stderr } = await fleet(
    ["publish", "web", "-", "-m", `servers ${hosts.join()}`, ...more],
    `-A -t ${WEB} -s ${scheduler}\n${servers.join("\n")}\n`,
  );
  assert.equal(status, 0, stderr);
}

/** The servers in the kernel with their weights, such as `11*1`. */
async function kernelHas(): Promise<string> {
  const { stdout } = await ours(["-Sn"]);
  return Array.from(
    stdout.matchAll(/-r 10\.0\.0\.([0-9]+):80 -m -w ([0-9]+)/g),
    ([, host, weight]) => `${host ?? ""}*${weight ?? ""}`,
  )
    .sort()
    .join(" ");
}

async function until(what: string, condition: () => Promise<boolean>) {
  const end = Date.now() + 120_000;
  while (!(await condition())) {
    assert.ok(Date.now() < end, `not in two minutes: ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 200);
    });
  }
}

const kernelGets = (servers: string) =>
  until(
    `the kernel has ${servers}`,
    async () => (await kernelHas()) === servers,
  );

/** An agent in this process. It ends as by a signal. */
class RunningAgent implements AsyncDisposable {
  log = "";
  readonly #running: Promise<unknown>;
  #end: (signal: EndingSignal) => void = () => undefined;

  constructor(...options: readonly string[]) {
    this.#running = ours(
      [
        ...["fleet", "agent", "--table", "web", "--director", "lb1"],
        ...["--interval", "1s", "--splay", "0", "--report", "1s"],
        ...["--deadline", "3s", "--copy", join(folder, "copy.json")],
        ...["--endpoints", cluster.endpoints.join(","), ...options],
      ],
      "",
      {
        stdout: (text) => {
          this.log += text;
        },
        catchSignals: (listen) => {
          this.#end = listen;
          return () => undefined;
        },
      },
    );
  }

  logs(pattern: RegExp): Promise<void> {
    return until(`the agent logs ${pattern.source}`, () =>
      Promise.resolve(pattern.test(this.log)),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end("SIGTERM");
    await this.#running;
  }
}

test("fleet agent applies what is published, and rolls back what the kernel refuses", async () => {
  await publish(["11", "12"]);
  await using agent = new RunningAgent();
  await kernelGets("11*1 12*1");
  await publish(["11", "12", "13"]);
  await kernelGets("11*1 12*1 13*1");
  await until(
    "the status is ok",
    async () => (await fleet(["status"])).status === 0,
  );
  // No kernel has this scheduler.
  await publish(["11", "12", "13", "14"], { scheduler: "nosuch" });
  await agent.logs(/rolled back/);
  assert.equal(await kernelHas(), "11*1 12*1 13*1");
  await until("the status tells why", async () =>
    /lb1 .*failed.*nosuch/.test((await fleet(["status", "--wide"])).stdout),
  );
  await fleet(["rollback", "web", "2"]);
  await until(
    "the status is ok",
    async () => (await fleet(["status"])).status === 0,
  );
  assert.match(agent.log, /revision 4 of table web/);
});

test("fleet agent reports drift, drains, and gives weights back", async () => {
  await using agent = new RunningAgent();
  await until(
    "the status is ok",
    async () => (await fleet(["status"])).status === 0,
  );
  await ours(["-d", "-t", WEB, "-r", "10.0.0.13"]);
  await until("the drift is reported", async () =>
    (await fleet(["status"])).stdout.includes("drifting"),
  );
  const { status, stderr } = await fleet([
    ...["drain", `tcp/${WEB}`, "10.0.0.12", "--timeout", "60s"],
  ]);
  assert.deepEqual([stderr, status], ["", 0]);
  // The drain changed only its server.
  assert.equal(await kernelHas(), "11*1 12*0");
  await fleet(["undrain", `tcp/${WEB}`, "10.0.0.12"]);
  await kernelGets("11*1 12*1");
  assert.ok(!agent.log.includes("healing"));
});

test("fleet agent --heal takes changes back, but not a drain on the machine", async () => {
  await using agent = new RunningAgent("--heal");
  await kernelGets("11*1 12*1 13*1");
  await agent.logs(/healing: 1 to add/);
  const { status, stderr } = await ours(["drain", `tcp/${WEB}`, "10.0.0.13"]);
  assert.equal(status, 0, stderr);
  await ours(["-d", "-t", WEB, "-r", "10.0.0.12"]);
  await kernelGets("11*1 12*1 13*0");
  await ours(["undrain", `tcp/${WEB}`, "10.0.0.13"]);
  await kernelGets("11*1 12*1 13*1");
});

test("fleet agent keeps the table without etcd, and applies its copy after a reboot", async () => {
  const [member] = cluster.members;
  {
    await using agent = new RunningAgent();
    await until(
      "the status is ok",
      async () => (await fleet(["status"])).status === 0,
    );
    await member?.kill();
    await agent.logs(/cannot reach etcd.*the table stays as it is/);
    assert.equal(await kernelHas(), "11*1 12*1 13*1");
  }
  assert.equal(await kernelHas(), "11*1 12*1 13*1");
  // As after a reboot: the table is empty, and the copy is of another boot.
  await ours(["-C"]);
  const copy = join(folder, "copy.json");
  const text = readFileSync(copy, "latin1");
  writeFileSync(copy, text.replace(/"bootId":"[^"]*"/, '"bootId":"another"'));
  await using agent = new RunningAgent();
  await kernelGets("11*1 12*1 13*1");
  member?.start();
  await agent.logs(/the store answers again/);
  await cluster.ready();
  await publish(["11", "12"]);
  await kernelGets("11*1 12*1");
});

test("fleet agent --dry-run reports what it would change, and changes nothing", async () => {
  await ours(["-C"]);
  await using agent = new RunningAgent("--dry-run");
  await until("the status tells", async () =>
    /3 to add.*dry run/.test((await fleet(["status", "--wide"])).stdout),
  );
  assert.equal(await kernelHas(), "");
  assert.ok(!agent.log.includes("applied"));
});
