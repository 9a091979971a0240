import assert from "node:assert/strict";
import { test } from "node:test";
import { readFleet } from "../../src/fleet/fleet-report.js";
import { FleetKeys } from "../../src/fleet/keys.js";
import { ours } from "../lab/program.js";
import { ModelKernel } from "../plan/model-kernel.js";
import { TestCluster } from "../store/etcd-cluster.js";
import { SimulatedDirector } from "./simulated-director.js";

/* The clock of a machine jumps: nothing may be measured with it. */

const DAY_MILLISECONDS = 86_400_000;

test("agents, publishers, rollouts and drains work while the clock jumps by days in both directions", async (context) => {
  await using cluster = await TestCluster.start({ members: 3 });
  const store = cluster.store();
  const keys = new FleetKeys("/clock/");
  const fleet = async (line: string, stdin = "", message?: string) => {
    const { stderr, status, stdout } = await ours(
      [
        ...["fleet", ...line.split(" ")],
        ...(message === undefined ? [] : ["-m", message]),
        ...["--endpoints", cluster.endpoints.join(","), "--prefix", "/clock/"],
      ],
      stdin,
    );
    assert.deepEqual([stderr, status], ["", 0], line);
    return stdout;
  };
  const publish = (hosts: string, ...more: string[]) =>
    fleet(
      ["publish", "web", "-", ...more].join(" "),
      `-A -t 192.0.2.1:80 -s wlc\n${hosts
        .split(" ")
        .map((host) => `-a -t 192.0.2.1:80 -r 10.0.0.${host} -m`)
        .join("\n")}\n`,
      hosts,
    );
  const start = Date.now();
  context.mock.timers.enable({ apis: ["Date"], now: start });
  let jumps = 0;
  const jumping = setInterval(() => {
    jumps++;
    const days = (jumps % 2 === 0 ? 1 : -1) * (jumps % 4000);
    context.mock.timers.setTime(start + days * DAY_MILLISECONDS);
  }, 20);
  context.after(() => {
    clearInterval(jumping);
  });
  const verdicts = async () => {
    const { directors } = await readFleet(store, keys);
    return directors.map(({ verdict }) => verdict).join(" ");
  };
  const allOk = async () => {
    const end = performance.now() + 60_000;
    while ((await verdicts()) !== "ok ok ok") {
      assert.ok(performance.now() < end, await verdicts());
      await new Promise((resolve) => {
        setTimeout(resolve, 50);
      });
    }
  };
  await publish("11 12");
  const directors = ["lb1", "lb2", "lb3"].map(
    (name) =>
      new SimulatedDirector(
        cluster.store(),
        keys,
        name,
        new ModelKernel({ services: [] }),
      ),
  );
  for (const director of directors) director.start();
  for (const director of directors) await director.has("11*1 12*1");
  await allOk();
  await publish("11 12 13", "--stage");
  const rollout = "rollout web --wave 1 --wave all --soak 2s --timeout 60s";
  const begun = performance.now();
  await fleet(rollout);
  const seconds = (performance.now() - begun) / 1000;
  context.diagnostic(`a rollout with 4 s of soak: ${seconds.toFixed(1)} s`);
  assert.ok(seconds > 4 && seconds < 40, `${seconds} s`);
  for (const director of directors) await director.has("11*1 12*1 13*1");
  await fleet("drain tcp/192.0.2.1:80 10.0.0.12 --wait --timeout 60s");
  await fleet("undrain tcp/192.0.2.1:80 10.0.0.12");
  await allOk();
  const times = await fleet("status --wide");
  assert.ok(!/NaN|Invalid|-[0-9]+[smhd]/.test(times), times);
  for (const director of directors) {
    // No lease has ended, and no call has reached its deadline too early.
    assert.ok(!/etcd|lease/.test(director.log.join("\n")), director.log.join());
    await director[Symbol.asyncDispose]();
  }
  assert.ok(jumps > 100, `${jumps} jumps`);
});
