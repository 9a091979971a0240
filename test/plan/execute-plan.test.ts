import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  executePlan,
  type ExecuteOptions,
} from "../../src/plan/execute-plan.js";
import { compare } from "../../src/plan/compare.js";
import type { CurrentState } from "../../src/plan/current-state.js";
import { KernelRefusal } from "../../src/ipvs/errors.js";
import { HASHED, TCP, type ServiceKey } from "../../src/ipvs/model.js";
import { PlanFailed, TableChanged } from "../../src/plan/plan-failed.js";
import { makePlan, allSteps } from "../../src/plan/plan.js";
import type { Table } from "../../src/ipvs/table.js";
import { INET } from "../../src/ipvs/address.js";
import { EBADF, ENOENT, ENOMEM, ESRCH } from "../../src/netlink/errno.js";
import { SocketFault } from "../../src/netlink/errors.js";
import { address, serverEntry, serviceEntry } from "../fixtures/entries.js";
import { clientOf, type ModelClient } from "./model-client.js";
import { ModelKernel } from "./model-kernel.js";
import { pairs } from "./pairs.js";

const ALL = { prune: true, keepWeights: false };

function planFor(desired: Table, current: CurrentState, drain = false) {
  return makePlan(compare(desired, current, ALL), drain);
}

async function failure(work: Promise<unknown>): Promise<PlanFailed> {
  try {
    await work;
  } catch (error) {
    if (error instanceof PlanFailed) return error;
    throw error;
  }
  assert.fail("PlanFailed was not thrown");
}

const WEB: ServiceKey = {
  family: INET,
  protocol: TCP,
  address: address("192.0.2.1"),
  port: 80,
};
const MAIL: ServiceKey = { ...WEB, port: 25 };
const NEWS: ServiceKey = { ...WEB, port: 119 };

const CURRENT: CurrentState = {
  services: [
    serviceEntry(WEB, { flags: HASHED }, [
      serverEntry("10.0.0.1", 80),
      serverEntry("10.0.0.2", 80, { weight: 5 }),
    ]),
    serviceEntry(MAIL, { flags: HASHED }, [serverEntry("10.0.0.3", 25)]),
  ],
};
/** A plan of one step of every kind: a new service with a server, a new server, 2 edits, 2 removals */
const DESIRED: Table = {
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
  const kernel = new ModelKernel(CURRENT);
  const before = kernel.state;
  const client = clientOf(kernel, trouble, broken);
  const run = (options: Partial<ExecuteOptions> = {}) =>
    executePlan(client, planFor(DESIRED, CURRENT, drain), {
      before: CURRENT,
      ...options,
    });
  return { kernel, before, client, run };
}

function commands({ asked }: ModelClient): string[] {
  return asked.map((changes) =>
    changes.map(({ command }) => command).join(" "),
  );
}

test("executePlan() sends one stage after the other", async () => {
  const { client, run, kernel } = scene();
  const { done, skipped } = await run();
  assert.deepEqual(commands(client), [
    "add-service add-server add-server edit-service edit-server",
    "delete-server delete-service",
  ]);
  assert.equal(done.length, 7);
  assert.deepEqual(skipped, []);
  const reached = { services: kernel.current.services };
  assert.deepEqual(allSteps(planFor(DESIRED, reached)), []);
});

test("executePlan() rolls back and reports the refused step, whichever step it is", async () => {
  await fc.assert(
    fc.asyncProperty(pairs, fc.nat(), async ([desired, current], nth) => {
      const plan = planFor(desired, current);
      const steps = allSteps(plan);
      fc.pre(steps.length > 0);
      const refused = steps[nth % steps.length];
      const kernel = new ModelKernel(current);
      const before = kernel.state;
      const client = clientOf(kernel, (change) =>
        change === refused?.change ? ENOMEM : undefined,
      );
      const error = await failure(
        executePlan(client, plan, { before: current }),
      );
      assert.equal(error.step, refused);
      assert.ok(error.cause instanceof KernelRefusal);
      assert.deepEqual([error.notRolledBack, error.unknown], [[], []]);
      assert.equal(kernel.state, before);
    }),
    { numRuns: 1000 },
  );
});

test("executePlan() removes nothing if an earlier step was refused", async () => {
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

test("executePlan() reads the table if the answer to a change is lost", async () => {
  const { kernel, run } = scene(() => "carried out, answer lost");
  const { done } = await run();
  assert.equal(done.length, 7);
  assert.deepEqual(
    allSteps(planFor(DESIRED, { services: kernel.current.services })),
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

test("executePlan() finds out over a new socket what was changed, and rolls it back", async () => {
  const fault = new SocketFault(EBADF, "sendmsg");
  for (let after = 0; after < 5; after++) {
    const { kernel, run, before } = scene(undefined, () => ({ fault, after }));
    const error = await failure(
      run({ reopen: () => Promise.resolve(clientOf(kernel)) }),
    );
    assert.equal(error.cause, fault);
    assert.equal(error.done.length, after);
    assert.deepEqual([error.notRolledBack, error.unknown], [[], []]);
    assert.equal(kernel.state, before);
  }
});

test("executePlan() continues over a new socket if all changes were made", async () => {
  const fault = new SocketFault(EBADF, "recvmsg");
  const { kernel, run } = scene(undefined, () => ({ fault, after: 5 }));
  const { done } = await run({
    reopen: () => Promise.resolve(clientOf(kernel)),
  });
  assert.equal(done.length, 7);
});

test("executePlan() reports steps as unknown if there is no new socket", async () => {
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
  // The first stage could be rolled back, because the socket works again.
  assert.deepEqual(error.notRolledBack, []);
});

test("executePlan() reports what it cannot roll back, and rolls back the rest", async () => {
  let deletions = 0;
  const { kernel, run } = scene(({ command }) => {
    if (command === "edit-server") return ENOMEM;
    return command === "delete-server" && deletions++ === 0
      ? ENOMEM
      : undefined;
  });
  const error = await failure(run());
  assert.equal(error.step?.change.command, "edit-server");
  assert.equal(error.notRolledBack.length, 1);
  const [notRolledBack] = error.notRolledBack;
  assert.equal(notRolledBack?.step.change.command, "add-server");
  assert.ok(notRolledBack.failure instanceof KernelRefusal);
  const [web] = kernel.current.services;
  assert.equal(web?.settings.scheduler, "wlc");
  assert.equal(web.servers.length, 3);
});

test("executePlan() counts an object that another process removed as rolled back", async () => {
  for (const errno of [ENOENT, ESRCH]) {
    const { run } = scene(({ command }) => {
      if (command === "edit-server") return ENOMEM;
      return command === "delete-server" || command === "delete-service"
        ? errno
        : undefined;
    });
    const { step, notRolledBack } = await failure(run());
    assert.equal(step?.change.command, "edit-server");
    assert.deepEqual(notRolledBack, []);
  }
});

test("executePlan() throws TableChanged if the table changed after the plan was made", async () => {
  const { client, run, kernel, before } = scene();
  kernel.apply({ command: "delete-service", service: MAIL });
  await assert.rejects(run(), TableChanged);
  assert.deepEqual(client.asked, []);
  assert.notEqual(kernel.state, before);
});

test("executePlan() rolls back on a signal, before the first change and while servers drain", async () => {
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

test("executePlan() rolls back if draining fails", async () => {
  const { kernel, run, before } = scene(undefined, undefined, true);
  const cause = new Error("unreadable");
  const error = await failure(run({ drain: () => Promise.reject(cause) }));
  assert.equal(error.cause, cause);
  assert.equal(error.step, undefined);
  assert.equal(kernel.state, before);
});

test("executePlan() keeps servers that are not empty, and their service", async () => {
  const { kernel, run } = scene(undefined, undefined, true);
  const { skipped } = await run({
    drain: () =>
      Promise.resolve(
        planFor(DESIRED, CURRENT, true).draining.map(({ service, server }) => ({
          service,
          server,
          state: service === MAIL ? ("busy" as const) : ("empty" as const),
          entry: undefined,
        })),
      ),
  });
  assert.deepEqual(
    skipped.map(({ step, state }) => [step.change.command, state]),
    [["delete-service", "busy"]],
  );
  const mail = kernel.current.services.find(({ key }) => key === MAIL);
  assert.deepEqual(
    mail?.servers.map(({ settings }) => settings.weight),
    [0],
  );
});

test("executePlan() distinguishes a server with a new weight from one with connections", async () => {
  const none: Table = { services: [] };
  for (const [states, ofService] of [
    [["busy", "undrained"], "busy"],
    [["undrained", "busy"], "busy"],
    [["empty", "undrained"], "undrained"],
  ] as const) {
    const kernel = new ModelKernel(CURRENT);
    const plan = planFor(none, CURRENT, true);
    let nth = 0;
    const { skipped } = await executePlan(clientOf(kernel), plan, {
      before: CURRENT,
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
      skipped.map(({ step, state }) => [step.change.command, state]),
      [["delete-service", ofService]],
    );
  }
  // If the service is kept, each of its servers is reported on its own.
  const kernel = new ModelKernel(CURRENT);
  const plan = planFor(
    { services: [serviceEntry(WEB, { flags: HASHED }, [])] },
    CURRENT,
    true,
  );
  const { skipped } = await executePlan(clientOf(kernel), plan, {
    before: CURRENT,
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
    skipped.map(({ state }) => state),
    ["undrained", "busy"],
  );
});

test("executePlan() accepts that another process removed a service already", async () => {
  const { kernel, run, client } = scene(undefined, undefined, true);
  const { done } = await run({
    drain: () => {
      kernel.apply({ command: "delete-service", service: MAIL });
      return Promise.resolve([]);
    },
  });
  assert.equal(commands(client).at(-1), "delete-server delete-service");
  assert.equal(done.at(-1)?.change.command, "delete-server");
});

test("executePlan() sends and rolls back thousands of changes in batches", async () => {
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
    executePlan(client, planFor({ services }, { services: [] }), {
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
