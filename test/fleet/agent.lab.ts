import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ours } from "../lab/program.js";
import { LabFleet, until } from "./lab-fleet.js";
import { WebTable } from "./web-table.js";

/* 'ipvsadm fleet agent' with the kernel's own ip_vs and a real etcd. */

let lab: LabFleet;
let web: WebTable;

before(async () => {
  lab = await LabFleet.start();
  web = new WebTable(lab);
});

after(async () => {
  await lab[Symbol.asyncDispose]();
});

const fleet = (words: readonly string[], stdin = "") => lab.run(words, stdin);

const WEB = "192.0.2.1:80";

const publish = (...given: Parameters<WebTable["publish"]>) =>
  web.publish(...given);
const kernelHas = () => web.kernelHas();
const kernelGets = (servers: string) => web.kernelGets(servers);

test("fleet agent applies what is published, and rolls back what the kernel refuses", async () => {
  await publish(["11", "12"]);
  await using agent = lab.agent();
  await kernelGets("11*1 12*1");
  await publish(["11", "12", "13"]);
  await kernelGets("11*1 12*1 13*1");
  await lab.allOk();
  // No kernel has this scheduler.
  await publish(["11", "12", "13", "14"], { scheduler: "nosuch" });
  await agent.logs(/rolled back/);
  assert.equal(await kernelHas(), "11*1 12*1 13*1");
  await until("the status tells why", async () =>
    /lb1 .*failed.*nosuch/.test((await fleet(["status", "--wide"])).stdout),
  );
  await fleet(["rollback", "web", "2"]);
  await lab.allOk();
  assert.match(agent.log, /revision 4 of table web/);
});

test("fleet agent reports drift, drains, and gives weights back", async () => {
  await using agent = lab.agent();
  await lab.allOk();
  await ours(["-d", "-t", WEB, "-r", "10.0.0.13"]);
  await until("the drift is reported", async () =>
    (await fleet(["status"])).stdout.includes("drifting"),
  );
  const { status, stderr } = await fleet([
    ...["drain", `tcp/${WEB}`, "10.0.0.12", "--timeout", "300s"],
  ]);
  assert.deepEqual([stderr, status], ["", 0]);
  // The drain changed only its server.
  assert.equal(await kernelHas(), "11*1 12*0");
  await fleet(["undrain", `tcp/${WEB}`, "10.0.0.12"]);
  await kernelGets("11*1 12*1");
  assert.ok(!agent.log.includes("healing"));
});

test("fleet agent --heal takes changes back, but not a drain on the machine", async () => {
  await using agent = lab.agent("--heal");
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
  const [member] = lab.cluster.members;
  {
    await using agent = lab.agent();
    await lab.allOk();
    await member?.kill();
    await agent.logs(/cannot reach etcd.*the table stays as it is/);
    assert.equal(await kernelHas(), "11*1 12*1 13*1");
  }
  assert.equal(await kernelHas(), "11*1 12*1 13*1");
  // As after a reboot: the table is empty, and the copy is of another boot.
  await ours(["-C"]);
  web.reboot();
  await using agent = lab.agent();
  await kernelGets("11*1 12*1 13*1");
  member?.start();
  await agent.logs(/the store answers again/);
  await lab.cluster.ready();
  await publish(["11", "12"]);
  await kernelGets("11*1 12*1");
});

test("fleet agent --dry-run reports what it would change, and changes nothing", async () => {
  await ours(["-C"]);
  await using agent = lab.agent("--dry-run");
  await until("the status tells", async () =>
    /3 to add.*dry run/.test((await fleet(["status", "--wide"])).stdout),
  );
  assert.equal(await kernelHas(), "");
  assert.ok(!agent.log.includes("applied"));
});
