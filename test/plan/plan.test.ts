import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { familyOf } from "../../src/ipvs/address.js";
import { compare, isUpToDate } from "../../src/plan/compare.js";
import type { CurrentState } from "../../src/plan/current-state.js";
import type { Change } from "../../src/ipvs/change.js";
import {
  daemonMatches,
  serverMatches,
  serviceMatches,
} from "../../src/plan/settings-match.js";
import { formatService, type ServiceKey } from "../../src/ipvs/model.js";
import { makePlan, allSteps } from "../../src/plan/plan.js";
import type { ServiceRule, Table } from "../../src/ipvs/table.js";
import { ModelKernel } from "./model-kernel.js";
import { stateOf, pairs } from "./pairs.js";
import { serverId } from "../../src/plan/server-id.js";

const RUNS = { numRuns: 2000 };
const ALL = { prune: true, keepWeights: false };

function stepsFor(desired: Table, current: CurrentState, drain = false) {
  return allSteps(makePlan(compare(desired, current, ALL), drain));
}

function applyAll(kernel: ModelKernel, changes: readonly Change[]): void {
  for (const change of changes)
    assert.equal(kernel.apply(change), undefined, JSON.stringify(change));
}

test("the steps of makePlan() turn any table into any other, and none is refused", () => {
  fc.assert(
    fc.property(pairs, fc.boolean(), ([desired, current], drain) => {
      const kernel = new ModelKernel(current);
      const steps = stepsFor(desired, current, drain);
      applyAll(
        kernel,
        steps.map(({ change }) => change),
      );
      assert.ok(isUpToDate(compare(desired, kernel.current, ALL)));
      assert.deepEqual(names(kernel.current), names(stateOf(desired)));
    }),
    RUNS,
  );
});

test("undoing the first steps of a plan restores the state, wherever the plan stops", () => {
  fc.assert(
    fc.property(pairs, fc.boolean(), ([desired, current], drain) => {
      const steps = stepsFor(desired, current, drain);
      const before = new ModelKernel(current).state;
      for (let count = 0; count <= steps.length; count++) {
        const kernel = new ModelKernel(current);
        const firstSteps = steps.slice(0, count);
        applyAll(
          kernel,
          firstSteps.map(({ change }) => change),
        );
        applyAll(
          kernel,
          firstSteps.toReversed().flatMap(({ undo }) => undo),
        );
        assert.equal(kernel.state, before);
      }
    }),
    RUNS,
  );
});

test("makePlan() has no steps if the table is up to date", () => {
  fc.assert(
    fc.property(pairs, ([desired]) => {
      assert.deepEqual(stepsFor(desired, stateOf(desired)), []);
    }),
    RUNS,
  );
});

test("no step of a plan interrupts a service that exists before and after", () => {
  fc.assert(
    fc.property(pairs, fc.boolean(), ([desired, current], drain) => {
      const kernel = new ModelKernel(current);
      const remaining = desired.services.filter(({ key }) =>
        current.services.some((one) => sameName(one.key, key)),
      );
      const active = remaining.filter(
        (service) =>
          acceptsConnections(service) &&
          current.services.some(
            (one) => sameName(one.key, service.key) && acceptsConnections(one),
          ),
      );
      for (const { change } of stepsFor(desired, current, drain)) {
        applyAll(kernel, [change]);
        const now = kernel.current.services;
        const find = (key: ServiceKey) =>
          now.find((one) => sameName(one.key, key));
        for (const { key } of remaining) assert.ok(find(key));
        for (const { key } of active) {
          const service = find(key);
          assert.ok(service && acceptsConnections(service), formatService(key));
        }
      }
    }),
    RUNS,
  );
});

test("makePlan() needs exactly one message for each difference", () => {
  fc.assert(
    fc.property(pairs, ([desired, current]) => {
      const steps = stepsFor(desired, current);
      assert.equal(steps.length, fewestMessages(desired, current));
    }),
    RUNS,
  );
});

test("without prune, a plan only stops daemons that it starts again, and deletes nothing", () => {
  fc.assert(
    fc.property(pairs, ([desired, current]) => {
      fc.pre(areCompatible(desired, current));
      const scope = { ...ALL, prune: false };
      const steps = allSteps(makePlan(compare(desired, current, scope), false));
      const kernel = new ModelKernel(current);
      applyAll(
        kernel,
        steps.map(({ change }) => change),
      );
      const skipped = new Set(names(kernel.current));
      for (const name of names(current)) assert.ok(skipped.has(name), name);
      assert.ok(isUpToDate(compare(desired, kernel.current, scope)));
    }),
    RUNS,
  );
});

test("keepWeights leaves the weights of existing servers unchanged", () => {
  fc.assert(
    fc.property(pairs, ([desired, current]) => {
      const scope = { ...ALL, keepWeights: true };
      const kernel = new ModelKernel(current);
      applyAll(
        kernel,
        allSteps(makePlan(compare(desired, current, scope), false)).map(
          ({ change }) => change,
        ),
      );
      const before = weights(current);
      for (const [name, weight] of weights(kernel.current))
        assert.equal(weight, before.get(name) ?? weights(desired).get(name));
    }),
    RUNS,
  );
});

test("only limits a plan to the selected services, without timeouts and daemons", () => {
  fc.assert(
    fc.property(pairs, ([desired, current]) => {
      fc.pre(areCompatible(desired, current));
      const isSelected = (key: ServiceKey) => "firewallMark" in key;
      const scope = { ...ALL, only: isSelected };
      const steps = allSteps(makePlan(compare(desired, current, scope), false));
      for (const { change } of steps)
        assert.ok(
          "service" in change && change.service && isSelected(change.service),
        );
      const kernel = new ModelKernel(current);
      applyAll(
        kernel,
        steps.map(({ change }) => change),
      );
      const selected = (list: readonly { readonly key: ServiceKey }[]) =>
        list
          .map(({ key }) => key)
          .filter(isSelected)
          .map(formatService)
          .sort();
      assert.deepEqual(
        selected(kernel.current.services),
        selected(desired.services),
      );
    }),
    RUNS,
  );
});

/** Whether a kernel can have both tables at once: it refuses servers of another family while a daemon runs. */
function areCompatible(...tables: readonly Table[]): boolean {
  return (
    tables.every(({ daemons = [] }) => daemons.length === 0) ||
    tables.every(({ services }) =>
      services.every(({ key, servers }) =>
        servers.every((one) => familyOf(one.key.address) === key.family),
      ),
    )
  );
}

function sameName(a: ServiceKey, b: ServiceKey): boolean {
  return formatService(a) === formatService(b);
}

function acceptsConnections({
  servers,
}: Pick<ServiceRule, "servers">): boolean {
  return servers.some(({ settings }) => settings.weight > 0);
}

function names({ services, daemons = [] }: Table): string[] {
  return [
    ...services.flatMap(({ key, servers }) => [
      formatService(key),
      ...servers.map((server) => serverId(key, server.key)),
    ]),
    ...daemons.map(({ state }) => `daemon ${state}`),
  ].sort();
}

function weights({ services }: Table): Map<string, number> {
  return new Map(
    services.flatMap(({ key, servers }) =>
      servers.map(
        (one) => [serverId(key, one.key), one.settings.weight] as const,
      ),
    ),
  );
}

/**
 * The fewest messages possible. A message concerns one service, server or daemon, or the timeouts. Removing a service
 * removes its servers; a daemon has to be stopped to be changed.
 */
function fewestMessages(
  desired: Required<Omit<Table, "partial">>,
  current: Required<CurrentState>,
): number {
  let count = 0;
  const find = <T extends { readonly key: ServiceKey }>(
    list: readonly T[],
    key: ServiceKey,
  ) => list.find((one) => sameName(one.key, key));
  for (const { key } of current.services)
    if (!find(desired.services, key)) count++;
  for (const rule of desired.services) {
    const service = find(current.services, rule.key);
    if (!service || !serviceMatches(service.settings, rule.settings)) count++;
    const has = new Map(
      service?.servers.map((one) => [
        serverId(rule.key, one.key),
        one.settings,
      ]),
    );
    for (const { key, settings } of rule.servers) {
      const name = serverId(rule.key, key);
      const now = has.get(name);
      if (!now || !serverMatches(now, settings)) count++;
      has.delete(name);
    }
    count += has.size;
  }
  const { timeouts } = current;
  if (
    timeouts.tcpSeconds !== desired.timeouts.tcpSeconds ||
    timeouts.tcpFinSeconds !== desired.timeouts.tcpFinSeconds
  )
    count++;
  for (const state of [1, 2]) {
    const from = current.daemons.find((one) => one.state === state);
    const to = desired.daemons.find((one) => one.state === state);
    if (from && to) count += daemonMatches(from, to) ? 0 : 2;
    else if (from ?? to) count++;
  }
  return count;
}
