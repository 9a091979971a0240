import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ours } from "../lab/program.js";
import { TestCluster } from "../store/etcd-cluster.js";
import { LabFleet, until } from "./lab-fleet.js";

/* 'ipvsadm fleet agent' with the kernel's own ip_vs and a real etcd. */

const WEB = "192.0.2.1:80";

let cluster: TestCluster;
let fleet: LabFleet;

before(async () => {
  cluster = await TestCluster.start({ slow: true });
  fleet = new LabFleet(cluster);
});

after(async () => {
  await cluster[Symbol.asyncDispose]();
  fleet.remove();
  await ours(["-C"]);
});

test("fleet agent applies what is published, and rolls back what the kernel refuses", async () => {
  await fleet.publish(["11", "12"]);
  await using agent = fleet.agent();
  await fleet.kernelGets("11*1 12*1");
  await fleet.publish(["11", "12", "13"]);
  await fleet.kernelGets("11*1 12*1 13*1");
  await fleet.isOk();
  // No kernel has this scheduler.
  await fleet.publish(["11", "12", "13", "14"], { scheduler: "nosuch" });
  await agent.logs(/rolled back/);
  assert.equal(await fleet.kernelHas(), "11*1 12*1 13*1");
  await until("the status tells why", async () =>
    /lb1 .*failed.*nosuch/.test((await fleet.run(["status", "--wide"])).stdout),
  );
  await fleet.run(["rollback", "web", "2"]);
  await fleet.isOk();
  assert.match(agent.log, /revision 4 of table web/);
});

test("fleet agent reports drift, drains, and gives weights back", async () => {
  await using agent = fleet.agent();
  await fleet.isOk();
  await ours(["-d", "-t", WEB, "-r", "10.0.0.13"]);
  await until("the drift is reported", async () =>
    (await fleet.run(["status"])).stdout.includes("drifting"),
  );
  const { status, stderr } = await fleet.run([
    ...["drain", `tcp/${WEB}`, "10.0.0.12", "--timeout", "60s"],
  ]);
  assert.deepEqual([stderr, status], ["", 0]);
  // The drain changed only its server.
  assert.equal(await fleet.kernelHas(), "11*1 12*0");
  await fleet.run(["undrain", `tcp/${WEB}`, "10.0.0.12"]);
  await fleet.kernelGets("11*1 12*1");
  assert.ok(!agent.log.includes("healing"));
});

test("fleet agent --heal takes changes back, but not a drain on the machine", async () => {
  await using agent = fleet.agent("--heal");
  await fleet.kernelGets("11*1 12*1 13*1");
  await agent.logs(/healing: 1 to add/);
  const { status, stderr } = await ours(["drain", `tcp/${WEB}`, "10.0.0.13"]);
  assert.equal(status, 0, stderr);
  await ours(["-d", "-t", WEB, "-r", "10.0.0.12"]);
  await fleet.kernelGets("11*1 12*1 13*0");
  await ours(["undrain", `tcp/${WEB}`, "10.0.0.13"]);
  await fleet.kernelGets("11*1 12*1 13*1");
});

test("fleet agent keeps the table without etcd, and applies its copy after a reboot", async () => {
  const [member] = cluster.members;
  {
    await using agent = fleet.agent();
    await fleet.isOk();
    await member?.kill();
    await agent.logs(/cannot reach etcd.*the table stays as it is/);
    assert.equal(await fleet.kernelHas(), "11*1 12*1 13*1");
  }
  assert.equal(await fleet.kernelHas(), "11*1 12*1 13*1");
  // As after a reboot: the table is empty, and the copy is of another boot.
  await ours(["-C"]);
  fleet.reboot();
  await using agent = fleet.agent();
  await fleet.kernelGets("11*1 12*1 13*1");
  member?.start();
  await agent.logs(/the store answers again/);
  await cluster.ready();
  await fleet.publish(["11", "12"]);
  await fleet.kernelGets("11*1 12*1");
});

test("fleet agent --dry-run reports what it would change, and changes nothing", async () => {
  await ours(["-C"]);
  await using agent = fleet.agent("--dry-run");
  await until("the status tells", async () =>
    /3 to add.*dry run/.test((await fleet.run(["status", "--wide"])).stdout),
  );
  assert.equal(await fleet.kernelHas(), "");
  assert.ok(!agent.log.includes("applied"));
});
