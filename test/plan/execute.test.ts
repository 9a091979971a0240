import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { carryOut, type CarryOutOptions } from "../../src/plan/execute.js";
import { compare, type Existing } from "../../src/plan/compare.js";
import { KernelRefusal } from "../../src/ipvs/errors.js";
import { HASHED, TCP, type ServiceKey } from "../../src/ipvs/model.js";
import { PlanFailed, TableChanged } from "../../src/plan/plan-failed.js";
import { planOf, stepsOf } from "../../src/plan/plan.js";
import type { Table } from "../../src/ipvs/table.js";
import { INET } from "../../src/ipvs/address.js";
import { EBADF, ENOENT, ENOMEM, ESRCH } from "../../src/netlink/errno.js";
import { SocketFault } from "../../src/netlink/errors.js";
import { address, serverEntry, serviceEntry } from "../fixtures/entries.js";
import { clientOf, type ModelClient } from "./model-client.js";
import { ModelKernel } from "./model-kernel.js";
import { pairs } from "./pairs.js";

const ALL = { prune: true, keepWeights: false };

function planFor(wanted: Table, existing: Existing, drain = false) {
  return planOf(compare(wanted, existing, ALL), drain);
}

async function failure(work: Promise<unknown>): Promise<PlanFailed> {
  try {
    await work;
  } catch (error) {
    if (error instanceof PlanFailed) return error;
    throw error;
  }
  assert.fail("it did not fail");
}

const WEB: ServiceKey = {
  family: INET,
  protocol: TCP,
  address: address("192.0.2.1"),
  port: 80,
};
const MAIL: ServiceKey = { ...WEB, port: 25 };
const NEWS: ServiceKey = { ...WEB, port: 119 };

const HAS: Existing = {
  services: [
    serviceEntry(WEB, { flags: HASHED }, [
      serverEntry("10.0.0.1", 80),
      serverEntry("10.0.0.2", 80, { weight: 5 }),
    ]),
    serviceEntry(MAIL, { flags: HASHED }, [serverEntry("10.0.0.3", 25)]),
  ],
};
/** One step of every kind: 2 to build a service, a server to add, 2 edits, 2 removals */
const WANTED: Table = {
  services: [
    serviceEntry(WEB, { scheduler: "rr" }, [
      serverEntry("10.0.0.2", 80, { weight: 6 }),
      serverEntry("10.0.0.4", 80),
    ]),
    serviceEntry(NEWS, {}, [serverEntry("10.0.0.5", 119)]),
  ],
};

function scene(
  trouble?: Parameters<typeof clientOf>[1],
  broken?: Parameters<typeof clientOf>[2],
  drain = false,
) {
  const kernel = new ModelKernel(HAS);
  const before = kernel.state;
  const client = clientOf(kernel, trouble, broken);
  const run = (options: Partial<CarryOutOptions> = {}) =>
    carryOut(client, planFor(WANTED, HAS, drain), { before: HAS, ...options });
  return { kernel, before, client, run };
}

function commands({ asked }: ModelClient): string[] {
  return asked.map((changes) =>
    changes.map(({ command }) => command).join(" "),
  );
}

test("stages go to the kernel one by one", async () => {
  const { client, run, kernel } = scene();
  const { done, left } = await run();
  assert.deepEqual(commands(client), [
    "add-service add-server add-server edit-service edit-server",
    "delete-server delete-service",
  ]);
  assert.equal(done.length, 7);
  assert.deepEqual(left, []);
  const reached = { services: kernel.existing.services };
  assert.deepEqual(stepsOf(planFor(WANTED, reached)), []);
});

test("whatever is refused, the table is as it was, and the refused step is told", async () => {
  await fc.assert(
    fc.asyncProperty(pairs, fc.nat(), async ([wanted, existing], nth) => {
      const plan = planFor(wanted, existing);
      const steps = stepsOf(plan);
      fc.pre(steps.length > 0);
      const refused = steps[nth % steps.length];
      const kernel = new ModelKernel(existing);
      const before = kernel.state;
      const client = clientOf(kernel, (change) =>
        change === refused?.change ? ENOMEM : undefined,
      );
      const error = await failure(carryOut(client, plan, { before: existing }));
      assert.equal(error.step, refused);
      assert.ok(error.cause instanceof KernelRefusal);
      assert.deepEqual([error.standing, error.unknown], [[], []]);
      assert.equal(kernel.state, before);
    }),
    { numRuns: 1000 },
  );
});

test("nothing is removed when something that comes before was refused", async () => {
  const { client, run } = scene(({ command }) =>
    command === "edit-service" ? ENOENT : undefined,
  );
  const error = await failure(run());
  assert.equal(error.done.length, 4);
  assert.deepEqual(commands(client), [
    "add-service add-server add-server edit-service edit-server",
    "edit-server delete-server delete-server delete-service",
  ]);
});

test("a change whose answer was lost counts as what the table shows", async () => {
  const { kernel, run } = scene(() => "carried out, answer lost");
  const { done } = await run();
  assert.equal(done.length, 7);
  assert.deepEqual(
    stepsOf(planFor(WANTED, { services: kernel.existing.services })),
    [],
  );

  const lost = scene(({ command }) =>
    command === "edit-service" ? "answer lost" : undefined,
  );
  const error = await failure(lost.run());
  assert.equal(error.step?.change.command, "edit-service");
  assert.deepEqual(error.unknown, []);
  assert.equal(lost.kernel.state, lost.before);
});

test("when the socket fails, what was carried out is found out over another, and put back", async () => {
  const fault = new SocketFault(EBADF, "sendmsg");
  for (let after = 0; after < 5; after++) {
    const { kernel, run, before } = scene(undefined, () => ({ fault, after }));
    const error = await failure(
      run({ reopen: () => Promise.resolve(clientOf(kernel)) }),
    );
    assert.equal(error.cause, fault);
    assert.equal(error.done.length, after);
    assert.deepEqual([error.standing, error.unknown], [[], []]);
    assert.equal(kernel.state, before);
  }
});

test("when the socket fails with all carried out, the work goes on over another", async () => {
  const fault = new SocketFault(EBADF, "recvmsg");
  const { kernel, run } = scene(undefined, () => ({ fault, after: 5 }));
  const { done } = await run({
    reopen: () => Promise.resolve(clientOf(kernel)),
  });
  assert.equal(done.length, 7);
});

test("without another socket, it is told of what nobody knows whether it was carried out", async () => {
  const fault = new SocketFault(EBADF, "sendmsg");
  const { run } = scene(undefined, (call) =>
    call === 2 ? { fault, after: 1 } : undefined,
  );
  const error = await failure(run());
  assert.equal(error.cause, fault);
  assert.deepEqual(
    error.unknown.map(({ change }) => change.command),
    ["delete-server", "delete-service"],
  );
  // And what was done before could be put back, for the socket works again.
  assert.deepEqual(error.standing, []);
});

test("what cannot be put back is told, and the rest is put back", async () => {
  let deletions = 0;
  const { kernel, run } = scene(({ command }) => {
    if (command === "edit-server") return ENOMEM;
    return command === "delete-server" && deletions++ === 0
      ? ENOMEM
      : undefined;
  });
  const error = await failure(run());
  assert.equal(error.step?.change.command, "edit-server");
  assert.equal(error.standing.length, 1);
  const [standing] = error.standing;
  assert.equal(standing?.step.change.command, "add-server");
  assert.ok(standing.failure instanceof KernelRefusal);
  const [web] = kernel.existing.services;
  assert.equal(web?.settings.scheduler, "wlc");
  assert.equal(web.servers.length, 3);
});

test("what somebody else has taken away before it is put back does not stand", async () => {
  for (const errno of [ENOENT, ESRCH]) {
    const { run } = scene(({ command }) => {
      if (command === "edit-server") return ENOMEM;
      return command === "delete-server" || command === "delete-service"
        ? errno
        : undefined;
    });
    const { step, standing } = await failure(run());
    assert.equal(step?.change.command, "edit-server");
    assert.deepEqual(standing, []);
  }
});

test("a table that is another by now is not changed", async () => {
  const { client, run, kernel, before } = scene();
  kernel.carryOut({ command: "delete-service", service: MAIL });
  await assert.rejects(run(), TableChanged);
  assert.deepEqual(client.asked, []);
  assert.notEqual(kernel.state, before);
});

test("a signal has everything put back, before the first change and while servers drain", async () => {
  const reason = new Error("SIGINT");
  const early = scene();
  const error = await failure(early.run({ signal: AbortSignal.abort(reason) }));
  assert.equal(error.cause, reason);
  assert.deepEqual(early.client.asked, []);

  const late = scene(undefined, undefined, true);
  const controller = new AbortController();
  const second = await failure(
    late.run({
      signal: controller.signal,
      drain: () => {
        controller.abort(reason);
        return Promise.resolve([]);
      },
    }),
  );
  assert.equal(second.cause, reason);
  assert.equal(late.kernel.state, late.before);
});

test("a failure while servers drain has everything put back", async () => {
  const { kernel, run, before } = scene(undefined, undefined, true);
  const cause = new Error("unreadable");
  const error = await failure(run({ drain: () => Promise.reject(cause) }));
  assert.equal(error.cause, cause);
  assert.equal(error.step, undefined);
  assert.equal(kernel.state, before);
});

test("servers that are not empty stay, and so does the service that is to go with them", async () => {
  const { kernel, run } = scene(undefined, undefined, true);
  const { left } = await run({
    drain: () =>
      Promise.resolve(
        planFor(WANTED, HAS, true).draining.map(({ service, server }) => ({
          service,
          server,
          state: service === MAIL ? ("busy" as const) : ("empty" as const),
          entry: undefined,
        })),
      ),
  });
  assert.deepEqual(
    left.map(({ step, state }) => [step.change.command, state]),
    [["delete-service", "busy"]],
  );
  const mail = kernel.existing.services.find(({ key }) => key === MAIL);
  assert.deepEqual(
    mail?.servers.map(({ settings }) => settings.weight),
    [0],
  );
});

test("a server that somebody gave a weight again stays, and is told apart from one with connections", async () => {
  const none: Table = { services: [] };
  for (const [states, ofService] of [
    [["busy", "undrained"], "busy"],
    [["undrained", "busy"], "busy"],
    [["empty", "undrained"], "undrained"],
  ] as const) {
    const kernel = new ModelKernel(HAS);
    const plan = planFor(none, HAS, true);
    let nth = 0;
    const { left } = await carryOut(clientOf(kernel), plan, {
      before: HAS,
      drain: () =>
        Promise.resolve(
          plan.draining.map(({ service, server }) => ({
            service,
            server,
            state: service === WEB ? (states[nth++] ?? "empty") : "empty",
            entry: undefined,
          })),
        ),
    });
    assert.equal(nth, 2);
    assert.deepEqual(
      left.map(({ step, state }) => [step.change.command, state]),
      [["delete-service", ofService]],
    );
  }
  // Where the service stays, each of its servers is told by itself.
  const kernel = new ModelKernel(HAS);
  const plan = planFor(
    { services: [serviceEntry(WEB, { flags: HASHED }, [])] },
    HAS,
    true,
  );
  const { left } = await carryOut(clientOf(kernel), plan, {
    before: HAS,
    drain: () =>
      Promise.resolve(
        plan.draining.map(({ service, server }, i) => ({
          service,
          server,
          state: (["undrained", "busy"] as const)[i] ?? "empty",
          entry: undefined,
        })),
      ),
  });
  assert.deepEqual(
    left.map(({ state }) => state),
    ["undrained", "busy"],
  );
});

test("what somebody else has taken away meanwhile is no failure", async () => {
  const { kernel, run, client } = scene(undefined, undefined, true);
  const { done } = await run({
    drain: () => {
      kernel.carryOut({ command: "delete-service", service: MAIL });
      return Promise.resolve([]);
    },
  });
  assert.equal(commands(client).at(-1), "delete-server delete-service");
  assert.equal(done.at(-1)?.change.command, "delete-server");
});

test("thousands of changes go in batches, and are put back in batches", async () => {
  const services = Array.from({ length: 1500 }, (_, i) =>
    serviceEntry({ ...WEB, port: i + 1 }),
  );
  const kernel = new ModelKernel({ services: [] });
  const before = kernel.state;
  const client = clientOf(kernel, (change) =>
    "service" in change &&
    change.service &&
    "port" in change.service &&
    change.command === "add-service" &&
    change.service.port === 1400
      ? ENOMEM
      : undefined,
  );
  const error = await failure(
    carryOut(client, planFor({ services }, { services: [] }), {
      before: { services: [] },
    }),
  );
  assert.equal(error.done.length, 1499);
  assert.deepEqual(
    client.asked.map(({ length }) => length),
    [1024, 476, 1024, 475],
  );
  assert.equal(kernel.state, before);
});
