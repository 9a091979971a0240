import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ours } from "../lab/program.js";
import { LabFleet } from "./lab-fleet.js";
import { WebTable } from "./web-table.js";

/*
 * Faults of a machine: packets that vanish, a full disk, and a clock that jumps, with the kernel's own ip_vs and a real etcd,
 * whose data is on a small file system.
 */

const FOLDER = "/run/ipvsadm-faults";
/** etcd reserves 64 MB for its log. */
const FILE_SYSTEM = "size=90m";

let lab: LabFleet;
let web: WebTable;

const run = (command: string, ...words: readonly string[]) =>
  execFileSync(command, words, { encoding: "utf8" });

before(async () => {
  mkdirSync(FOLDER, { recursive: true });
  run("mount", "-t", "tmpfs", "-o", FILE_SYSTEM, "tmpfs", FOLDER);
  lab = await LabFleet.start({ folder: FOLDER });
  web = new WebTable(lab);
});

after(async () => {
  await lab[Symbol.asyncDispose]();
  run("umount", FOLDER);
});

/** Whether packets from and to etcd vanish without an answer. */
function losePackets(lose: boolean): void {
  const port = new URL(lab.cluster.endpoints[0] ?? "").port;
  for (const side of ["--sport", "--dport"])
    run(
      "iptables-legacy",
      ...[lose ? "-I" : "-D", "INPUT", "-p", "tcp", side, port, "-j", "DROP"],
    );
}

test("fleet agent keeps the table while packets vanish, applies its copy after a reboot, and catches up", async () => {
  await web.publish(["11", "12"]);
  {
    await using agent = lab.agent();
    await web.kernelGets("11*1 12*1");
    await lab.allOk();
    losePackets(true);
    await agent.logs(
      /(cannot reach etcd|answer of etcd was lost).*the table stays as it is/,
    );
    assert.equal(await web.kernelHas(), "11*1 12*1");
    const { status, stderr } = await lab.run(["history", "web"]);
    assert.match(stderr, /^ipvsadm: cannot reach etcd at [^\n]*\n[^\n]*\n?$/);
    assert.equal(status, 3);
    losePackets(false);
    await agent.logs(/the store answers again/);
    await web.publish(["11", "12", "13"]);
    await web.kernelGets("11*1 12*1 13*1");
  }
  await ours(["-C"]);
  web.reboot();
  losePackets(true);
  await using agent = lab.agent();
  await web.kernelGets("11*1 12*1 13*1");
  losePackets(false);
  await lab.allOk();
  await web.publish(["11", "12"]);
  await web.kernelGets("11*1 12*1");
  assert.ok(agent.log.includes("revision 3 of table web: applied"));
});

test("fleet agent and rollout go on while the clock of the machine jumps", async (context) => {
  if (!readFileSync("/proc/cpuinfo", "utf8").includes("User Mode Linux")) {
    context.skip("this would change the clock of your machine");
    return;
  }
  await using agent = lab.patientAgent("--deadline", "60s");
  await lab.allOk();
  const jump = (days: number) => {
    const seconds = Math.round(Date.now() / 1000) + days * 86_400;
    run("date", "-s", `@${seconds}`);
  };
  const logged = agent.log.length;
  for (const [i, days] of [400, -800, 400].entries()) {
    jump(days);
    const hosts = ["11", "12", `2${i}`];
    await web.publish(hosts, { more: ["--stage"] });
    const start = performance.now();
    const rollout = lab.run(["rollout", "web", "--soak", "3s"]);
    await web.kernelGets(`11*1 12*1 2${i}*1`);
    jump(1);
    jump(-1);
    const { status, stderr } = await rollout;
    assert.deepEqual([stderr, status], ["", 0]);
    const seconds = (performance.now() - start) / 1000;
    // The clock has jumped by a day meanwhile.
    assert.ok(seconds > 3 && seconds < 1000, `${seconds} s`);
    await lab.allOk();
  }
  assert.doesNotMatch(agent.log.slice(logged), /etcd|lease/);
});

test("when the disk of etcd is full, the table stays, no half of a revision is stored, and all goes on when there is room", async () => {
  const [member] = lab.cluster.members;
  await web.publish(["11", "12"]);
  await using agent = lab.agent();
  await lab.allOk();
  const newest = async () => (await lab.run(["history", "web"])).stdout;
  const before = await newest();
  const filler = join(FOLDER, "filler");
  fillDisk(filler);
  // etcd ends when its database cannot grow.
  const store = lab.cluster.store({ deadlineMilliseconds: 20_000 });
  await assert.rejects(async () => {
    for (let i = 0; i < 30; i++)
      await store.commit(
        [],
        [{ put: `/filler/${i}`, value: randomBytes(1_000_000) }],
      );
  });
  const { stderr, status } = await web.tryToPublish(["11", "12", "13"]);
  assert.match(stderr, /^ipvsadm: [^\n]*etcd[^\n]*\n[^\n]*\n?$/);
  assert.notEqual(status, 0);
  await agent.logs(
    /(cannot reach etcd|answer of etcd was lost).*the table stays as it is/,
  );
  assert.equal(await web.kernelHas(), "11*1 12*1");
  rmSync(filler);
  await member?.kill();
  member?.start();
  await lab.cluster.ready();
  assert.equal(await newest(), before);
  await web.publish(["11", "12", "13"]);
  await web.kernelGets("11*1 12*1 13*1");
  await lab.allOk();
});

/** Writes a file until there is no room. */
function fillDisk(path: string): void {
  const file = openSync(path, "w");
  const block = Buffer.alloc(65_536);
  let code: string | undefined;
  try {
    for (;;) writeSync(file, block);
  } catch (error) {
    ({ code } = error as NodeJS.ErrnoException);
  } finally {
    closeSync(file);
  }
  assert.equal(code, "ENOSPC");
}
