import assert from "node:assert/strict";
import { test } from "node:test";
import { recordBytes } from "../../src/fleet/record.js";
import { fetchHead } from "../../src/fleet/revision.js";
import {
  changeRollout,
  clearOrders,
} from "../../src/fleet/rollout/run-rollout.js";
import { readRollout } from "../../src/fleet/rollout/rollout.js";
import { divideIntoWaves, isWave } from "../../src/fleet/rollout/waves.js";
import { updateOrder } from "../../src/fleet/update-order.js";
import { EINVAL } from "../../src/netlink/errno.js";
import { KEYS, release, webTable } from "./rig.js";
import { Fleet, staged, stopped } from "./rollout-rig.js";

const member = (name: string, site: string) => ({ name, labels: { site } });

test("divideIntoWaves() counts from the beginning, and puts each director into its first wave", () => {
  const members = Array.from({ length: 20 }, (_, i) =>
    member(`lb${i + 1}`, i % 2 === 0 ? "fra" : "ams"),
  );
  const sizes = (waves: readonly string[]) =>
    divideIntoWaves(waves, members).map((wave) => wave.length);
  assert.deepEqual(sizes(["1", "10%", "all"]), [1, 1, 18]);
  assert.deepEqual(sizes(["site=fra", "all"]), [10, 10]);
  assert.deepEqual(sizes(["1", "site=fra", "50%", "all"]), [1, 9, 0, 10]);
  assert.deepEqual(sizes(["100", "all"]), [20, 0]);
  assert.deepEqual(sizes(["1%"]), [1]);
  assert.deepEqual(divideIntoWaves(["all"], []), [[]]);
});

test("isWave() knows numbers, percentages, all and labels", () => {
  for (const text of ["1", "25", "1%", "100%", "all", "site=fra", "a="])
    assert.ok(isWave(text), text);
  for (const text of ["", "0", "0%", "101%", "-1", "some", "=x", "a b=c"])
    assert.ok(!isWave(text), text);
});

test("runRollout() gives the revision to one wave after the other, and then releases it", async () => {
  const fleet = await staged(6);
  const seen: number[] = [];
  fleet.tick = () => {
    seen.push(fleet.having(2));
    return Promise.resolve();
  };
  await fleet.run();
  assert.equal(fleet.having(2), 6);
  assert.equal(fleet.mostSlots, 2);
  // The first wave is one director, and soaks for 3 seconds.
  assert.ok(seen.filter((count) => count === 1).length >= 3, seen.join());
  assert.equal((await fetchHead(fleet.store, KEYS, "web")).released, 2);
  const orders = await fleet.store.range(KEYS.orders);
  for (const { value } of orders.found)
    assert.deepEqual(JSON.parse(Buffer.from(value).toString()), {
      paused: false,
    });
  const places = await fleet.store.range(KEYS.slots("web"));
  assert.deepEqual(places.found, []);
});

test("runRollout() stops at the first director that cannot apply the revision; abort undoes it", async () => {
  const fleet = await staged(6);
  const [, , third] = fleet.directors;
  assert.ok(third);
  third.trouble = (change) =>
    change.command === "add-server" ? EINVAL : undefined;
  await assert.rejects(
    fleet.run(fleet.rollout({ mostUnavailable: 1 })),
    stopped(/^stopped: lb3 failed: .*10\.0\.0\.13/),
  );
  assert.deepEqual([fleet.having(1), fleet.having(2)], [4, 2]);
  // Nobody else gets it later.
  await fleet.work();
  assert.equal(fleet.having(2), 2);
  await changeRollout(fleet.store, KEYS, "web", ["failed"], "aborted");
  await clearOrders(fleet.store, KEYS, "web");
  await fleet.work();
  assert.equal(fleet.having(1), 6);
  assert.ok(fleet.directors.every((one) => one.agent.state.condition === "ok"));
});

test("runRollout() stops at a director that drifts or becomes silent during the soak", async () => {
  for (const [happens, pattern] of [
    [
      (fleet: Fleet) => fleet.directors[0]?.kernel.apply({ command: "flush" }),
      /lb1 is drifting/,
    ],
    [
      (fleet: Fleet) => {
        fleet.kill("lb1");
      },
      /lb1 is silent/,
    ],
  ] as const) {
    const fleet = await staged(3);
    let soaking = 0;
    fleet.tick = () => {
      if (fleet.having(2) === 1 && ++soaking === 2) happens(fleet);
      return Promise.resolve();
    };
    await assert.rejects(fleet.run(), stopped(pattern));
    assert.ok(fleet.having(2) <= 1);
  }
});

test("runRollout() stops if a director takes too long", async () => {
  const fleet = await staged(3);
  fleet.dead.add("lb1"); // its lease does not end, but it does nothing
  await assert.rejects(
    fleet.run(),
    stopped(/lb1 has not applied the revision within 30 s/),
  );
});

test("runRollout() leaves out directors that are silent or paused at the beginning", async () => {
  const fleet = await staged(4);
  fleet.kill("lb1");
  await updateOrder(fleet.store, KEYS, "lb2", (order) => ({
    ...order,
    paused: true,
  }));
  await fleet.work();
  await fleet.run();
  assert.equal(fleet.having(2), 2);
});

test("runRollout() waits while it is paused, and ends when it is aborted", async () => {
  const fleet = await staged(3);
  let ticks = 0;
  fleet.tick = async () => {
    ticks++;
    if (ticks === 2)
      await changeRollout(fleet.store, KEYS, "web", ["running"], "paused");
    if (ticks === 60)
      await changeRollout(fleet.store, KEYS, "web", ["paused"], "running");
    if (ticks === 62)
      await changeRollout(fleet.store, KEYS, "web", ["running"], "aborted");
  };
  await assert.rejects(fleet.run(), stopped(/the rollout was aborted/));
  assert.ok(fleet.lines.includes("paused"));
  assert.equal(ticks, 62);
});

test("runRollout() changes no director that abort has given the released revision", async () => {
  const fleet = await staged(2);
  let aborted = false;
  // An operator aborts after the rollout has read the order.
  fleet.afterGet = async (key) => {
    if (key !== KEYS.order("lb2") || aborted) return;
    aborted = true;
    await changeRollout(fleet.store, KEYS, "web", ["running"], "aborted");
    await clearOrders(fleet.store, KEYS, "web");
  };
  await assert.rejects(fleet.run(), stopped(/the rollout was aborted/));
  assert.ok(aborted);
  await fleet.work();
  assert.equal(fleet.having(1), 2);
});

test("runRollout() does not count a pause as time that a director takes, nor as time of the soak", async () => {
  for (const pauseAt of [1, 3]) {
    const fleet = await staged(2);
    let ticks = 0;
    fleet.tick = async () => {
      ticks++;
      // So long, lb1 does nothing.
      if (ticks < 50 && pauseAt === 1) fleet.dead.add("lb1");
      else fleet.dead.clear();
      if (ticks === pauseAt)
        await changeRollout(fleet.store, KEYS, "web", ["running"], "paused");
      if (ticks === 50)
        await changeRollout(fleet.store, KEYS, "web", ["paused"], "running");
      if (ticks <= 52) assert.ok(fleet.having(2) <= 1, `tick ${ticks}`);
    };
    await fleet.run();
    assert.equal(fleet.having(2), 2);
  }
});

test("runRollout() does not undo a release that was made meanwhile", async () => {
  const fleet = await staged(2);
  fleet.tick = async () => {
    fleet.tick = () => Promise.resolve();
    await release(fleet.store, webTable("11", "12", "13", "14"));
  };
  await assert.rejects(
    fleet.run(),
    stopped(/^stopped: revision 3 was released meanwhile$/),
  );
  assert.equal((await fetchHead(fleet.store, KEYS, "web")).released, 3);
  // Also when it is continued.
  const continued = await changeRollout(
    fleet.store,
    KEYS,
    "web",
    ["failed"],
    "running",
  );
  await assert.rejects(fleet.run(continued), stopped(/released meanwhile/));
  assert.equal((await fetchHead(fleet.store, KEYS, "web")).released, 3);
});

test("clearOrders() leaves a malformed order as it is, and names its director", async () => {
  const fleet = await staged(3);
  const wanted = { table: "web", revision: 2 };
  for (const name of ["lb1", "lb3"])
    await updateOrder(fleet.store, KEYS, name, (order) => ({
      ...order,
      wanted,
    }));
  const malformed = Buffer.from("{");
  fleet.cluster.commit([], [{ put: KEYS.order("lb2"), value: malformed }]);
  assert.deepEqual(await clearOrders(fleet.store, KEYS, "web"), ["lb2"]);
  await fleet.work();
  assert.equal(fleet.having(1), 3);
  const left = fleet.cluster.get(KEYS.order("lb2"));
  assert.deepEqual(Buffer.from(left?.value ?? []), malformed);
});

test("runRollout() shortens what a director says of its fault", async () => {
  const fleet = await staged(1);
  fleet.afterWork = () => {
    const value = recordBytes({
      ...fleet.directors[0]?.agent.state,
      ...{ condition: "failed", reason: "x".repeat(100_000) },
    });
    fleet.cluster.commit([], [{ put: KEYS.state("lb1"), value }]);
  };
  await assert.rejects(fleet.run(), stopped(/^stopped: lb1 failed: x+…$/));
  const stored = fleet.cluster.get(KEYS.rollout("web"));
  assert.ok(stored);
  assert.equal(readRollout(stored).reason?.length, 1001);
});

test("only one process carries out a rollout of a table; another one continues after its end", async () => {
  const fleet = await staged(4);
  const ended = new AbortController();
  let second: Promise<void> | undefined;
  fleet.tick = async () => {
    if (fleet.having(2) < 1) return;
    fleet.tick = () => Promise.resolve();
    second = fleet.run();
    await assert.rejects(second, stopped(/another process carries out/));
    ended.abort();
  };
  await assert.rejects(
    fleet.run(fleet.rollout(), ended.signal),
    stopped(/interrupted/),
  );
  assert.ok(second);
  const rollout = await changeRollout(
    fleet.store,
    KEYS,
    "web",
    ["running"],
    "running",
  );
  await fleet.run(rollout);
  assert.equal(fleet.having(2), 4);
});

test("runRollout() releases nothing when another process has taken over", async () => {
  const fleet = await staged(2);
  fleet.tick = () => {
    // As after a process that was frozen for longer than its lease.
    if (fleet.having(2) === 2)
      fleet.cluster.commit(
        [],
        [{ put: KEYS.rolloutHolder("web"), value: recordBytes({}) }],
      );
    return Promise.resolve();
  };
  await assert.rejects(fleet.run(), stopped(/the lease of the rollout/));
  assert.equal((await fetchHead(fleet.store, KEYS, "web")).released, 1);
});

test("runRollout() does not continue a rollout that was aborted just now", async () => {
  const fleet = await staged(2);
  const aborted = recordBytes(fleet.rollout({ state: "aborted" }));
  fleet.cluster.commit([], [{ put: KEYS.rollout("web"), value: aborted }]);
  await assert.rejects(fleet.run(), stopped(/^the rollout was aborted$/));
  assert.equal(fleet.having(2), 0);
  // A new rollout is another one.
  await fleet.run(fleet.rollout({ at: "2026-01-03T03:04:05.000Z" }));
  assert.equal(fleet.having(2), 2);
});

test("runRollout() goes on when answers of the store are lost", async () => {
  const fleet = await staged(4);
  let commits = 0;
  fleet.trouble = (call) =>
    call === "commit" && commits++ % 3 === 0 ? "answer lost" : undefined;
  await fleet.run();
  assert.equal(fleet.having(2), 4);
  assert.equal(fleet.mostSlots, 2);
  assert.equal((await fetchHead(fleet.store, KEYS, "web")).released, 2);
});

test("a rollout whose process fails gives its places back, and can be continued", async () => {
  const fleet = await staged(4);
  class Killed extends Error {}
  fleet.tick = () => {
    if (fleet.having(2) === 1) throw new Killed();
    return Promise.resolve();
  };
  await assert.rejects(fleet.run(), Killed);
  fleet.tick = () => Promise.resolve();
  fleet.cluster.pass(60);
  const places = await fleet.store.range(KEYS.slots("web"));
  assert.deepEqual(places.found, []);
  const rollout = await changeRollout(
    fleet.store,
    KEYS,
    "web",
    ["running"],
    "running",
  );
  await fleet.run(rollout);
  assert.equal(fleet.having(2), 4);
});
