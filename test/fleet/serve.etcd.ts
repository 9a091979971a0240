import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { FleetKeys } from "../../src/fleet/keys.js";
import { SAMPLE } from "../commands/list/sample.js";
import { serving } from "../commands/serve/run-serve.js";
import { kernelWith } from "../fixtures/table-kernel.js";
import { ours } from "../lab/program.js";
import { ModelKernel } from "../plan/model-kernel.js";
import { TestCertificates } from "../store/certificates.js";
import { TestCluster } from "../store/etcd-cluster.js";
import { validated } from "./fleet-schema.js";
import { SimulatedDirector } from "./simulated-director.js";

/* 'ipvsadm serve --fleet' with a real etcd, which checks certificates and roles. */

const folder = mkdtempSync(join(tmpdir(), "ipvsadm-fleet-serve-"));
after(() => {
  rmSync(folder, { recursive: true });
});

/** Asks until the answer is as wanted. */
async function until(
  url: string,
  wanted: (text: string, status: number) => boolean,
): Promise<string> {
  const end = Date.now() + 90_000;
  for (;;) {
    const response = await fetch(url);
    const text = await response.text();
    if (wanted(text, response.status)) return text;
    assert.ok(Date.now() < end, text);
    await new Promise((resolve) => {
      setTimeout(resolve, 500);
    });
  }
}

interface Served {
  readonly time: string;
  readonly fault: string | null;
}

test("serve --fleet shows a viewer the directors, keeps the last state while etcd is lost, and goes on afterwards", async () => {
  const certificates = new TestCertificates();
  await using cluster = await TestCluster.start({ certificates });
  const as = async (name: string, ...words: string[]) => {
    const { certificate, key } = certificates.client(name);
    const { status, stderr } = await ours(
      [
        ...["fleet", ...words, "--endpoints", cluster.endpoints.join(",")],
        ...["--cacert", certificates.authority],
        ...["--cert", certificate, "--key", key],
      ],
      "-A -t 192.0.2.1:80\n-a -t 192.0.2.1:80 -r 10.0.0.11 -m\n",
    );
    assert.equal(status, 0, stderr);
  };
  await as("root", "init", "--director", "lb1", "--viewer", "carol");
  await as("root", "publish", "web", "-", "-m", "first");
  await using director = new SimulatedDirector(
    cluster.store(),
    new FleetKeys("/ipvsadm/"),
    "lb1",
    new ModelKernel({ services: [] }),
  );
  director.start();
  await director.has("11*1");
  await as("root", "init", "--enable-auth");
  const { certificate, key } = certificates.client("carol");
  const file = join(folder, "fleet.yaml");
  writeFileSync(
    file,
    `endpoints: ["${cluster.endpoints.join('", "')}"]\ncacert: ${certificates.authority}\ncert: ${certificate}\nkey: ${key}\n`,
  );
  await serving(
    kernelWith(SAMPLE),
    async (url) => {
      const fleet = `${url}/api/v1/fleet`;
      const first = await until(fleet, (_, status) => status === 200);
      const [lb1] = validated(first).directors;
      assert.equal(lb1?.name, "lb1");
      assert.match(
        await until(`${url}/metrics`, (text) => text.includes("ipvs_fleet")),
        /^ipvs_fleet_director_applied_revision\{director="lb1",table="web"\} 1$/m,
      );
      const [member] = cluster.members;
      await member?.kill();
      const lost = await until(fleet, (text) => !text.includes('"fault":null'));
      const { fault } = JSON.parse(lost) as Served;
      assert.match(fault ?? "", /cannot reach etcd/);
      assert.equal(validated(lost).directors.length, 1);
      await until(`${url}/metrics`, (text) => /^ipvs_fleet_up 0$/m.test(text));
      member?.start();
      const again = await until(fleet, (text) => text.includes('"fault":null'));
      const time = (text: string) => (JSON.parse(text) as Served).time;
      assert.ok(time(again) > time(lost));
    },
    `serve --fleet ${file}`,
  );
});
