import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { familyOf } from "../../src/ipvs/address.js";
import { compare, isEqual, type Existing } from "../../src/plan/compare.js";
import type { Change } from "../../src/ipvs/change.js";
import {
  keepsDaemon,
  keepsServer,
  keepsService,
} from "../../src/plan/settings-match.js";
import {
  formatEndpoint,
  formatService,
  type ServerKey,
  type ServiceKey,
} from "../../src/ipvs/model.js";
import { planOf, stepsOf } from "../../src/plan/plan.js";
import type { ServiceRule, Table } from "../../src/ipvs/table.js";
import { ModelKernel } from "./model-kernel.js";
import { existingOf, pairs } from "./pairs.js";

const RUNS = { numRuns: 2000 };
const ALL = { prune: true, keepWeights: false };

function stepsFor(wanted: Table, existing: Existing, drain = false) {
  return stepsOf(planOf(compare(wanted, existing, ALL), drain));
}

function carriedOut(kernel: ModelKernel, changes: readonly Change[]): void {
  for (const change of changes)
    assert.equal(kernel.carryOut(change), undefined, JSON.stringify(change));
}

test("the steps make of any table any other, and none is refused", () => {
  fc.assert(
    fc.property(pairs, fc.boolean(), ([wanted, existing], drain) => {
      const kernel = new ModelKernel(existing);
      const steps = stepsFor(wanted, existing, drain);
      carriedOut(
        kernel,
        steps.map(({ change }) => change),
      );
      assert.ok(isEqual(compare(wanted, kernel.existing, ALL)));
      assert.deepEqual(names(kernel.existing), names(existingOf(wanted)));
    }),
    RUNS,
  );
});

test("every beginning of the steps can be undone", () => {
  fc.assert(
    fc.property(pairs, fc.boolean(), ([wanted, existing], drain) => {
      const steps = stepsFor(wanted, existing, drain);
      const before = new ModelKernel(existing).state;
      for (let count = 0; count <= steps.length; count++) {
        const kernel = new ModelKernel(existing);
        const begun = steps.slice(0, count);
        carriedOut(
          kernel,
          begun.map(({ change }) => change),
        );
        carriedOut(
          kernel,
          begun.toReversed().flatMap(({ undo }) => undo),
        );
        assert.equal(kernel.state, before);
      }
    }),
    RUNS,
  );
});

test("equal tables take no steps", () => {
  fc.assert(
    fc.property(pairs, ([wanted]) => {
      assert.deepEqual(stepsFor(wanted, existingOf(wanted)), []);
    }),
    RUNS,
  );
});

test("no service that stays is ever away, or without a server that takes connections if it has and is to have one", () => {
  fc.assert(
    fc.property(pairs, fc.boolean(), ([wanted, existing], drain) => {
      const kernel = new ModelKernel(existing);
      const staying = wanted.services.filter(({ key }) =>
        existing.services.some((one) => sameName(one.key, key)),
      );
      const takers = staying.filter(
        (service) =>
          takes(service) &&
          existing.services.some(
            (one) => sameName(one.key, service.key) && takes(one),
          ),
      );
      for (const { change } of stepsFor(wanted, existing, drain)) {
        carriedOut(kernel, [change]);
        const now = kernel.existing.services;
        const find = (key: ServiceKey) =>
          now.find((one) => sameName(one.key, key));
        for (const { key } of staying) assert.ok(find(key));
        for (const { key } of takers) {
          const service = find(key);
          assert.ok(service && takes(service), formatService(key));
        }
      }
    }),
    RUNS,
  );
});

test("there is a message for each thing that differs, and no more", () => {
  fc.assert(
    fc.property(pairs, ([wanted, existing]) => {
      const steps = stepsFor(wanted, existing);
      assert.equal(steps.length, leastMessages(wanted, existing));
    }),
    RUNS,
  );
});

test("while nothing is pruned, nothing is deleted or stopped but daemons that start anew", () => {
  fc.assert(
    fc.property(pairs, ([wanted, existing]) => {
      fc.pre(goTogether(wanted, existing));
      const scope = { ...ALL, prune: false };
      const steps = stepsOf(planOf(compare(wanted, existing, scope), false));
      const kernel = new ModelKernel(existing);
      carriedOut(
        kernel,
        steps.map(({ change }) => change),
      );
      const left = new Set(names(kernel.existing));
      for (const name of names(existing)) assert.ok(left.has(name), name);
      assert.ok(isEqual(compare(wanted, kernel.existing, scope)));
    }),
    RUNS,
  );
});

test("weights that are to be kept are", () => {
  fc.assert(
    fc.property(pairs, ([wanted, existing]) => {
      const scope = { ...ALL, keepWeights: true };
      const kernel = new ModelKernel(existing);
      carriedOut(
        kernel,
        stepsOf(planOf(compare(wanted, existing, scope), false)).map(
          ({ change }) => change,
        ),
      );
      const before = weights(existing);
      for (const [name, weight] of weights(kernel.existing))
        assert.equal(weight, before.get(name) ?? weights(wanted).get(name));
    }),
    RUNS,
  );
});

test("of services that are not meant, nothing changes, nor of timeouts and daemons", () => {
  fc.assert(
    fc.property(pairs, ([wanted, existing]) => {
      fc.pre(goTogether(wanted, existing));
      const isMeant = (key: ServiceKey) => "firewallMark" in key;
      const scope = { ...ALL, only: isMeant };
      const steps = stepsOf(planOf(compare(wanted, existing, scope), false));
      for (const { change } of steps)
        assert.ok(
          "service" in change && change.service && isMeant(change.service),
        );
      const kernel = new ModelKernel(existing);
      carriedOut(
        kernel,
        steps.map(({ change }) => change),
      );
      const meant = (list: readonly { readonly key: ServiceKey }[]) =>
        list
          .map(({ key }) => key)
          .filter(isMeant)
          .map(formatService)
          .sort();
      assert.deepEqual(meant(kernel.existing.services), meant(wanted.services));
    }),
    RUNS,
  );
});

/** Whether the kernel could have both at once: it wants no servers of another family while a daemon runs. */
function goTogether(...tables: readonly Table[]): boolean {
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

function takes({ servers }: Pick<ServiceRule, "servers">): boolean {
  return servers.some(({ settings }) => settings.weight > 0);
}

function nameOf(service: ServiceKey, { address, port }: ServerKey): string {
  return `${formatService(service)} ${formatEndpoint(address, port)}`;
}

function names({ services, daemons = [] }: Table): string[] {
  return [
    ...services.flatMap(({ key, servers }) => [
      formatService(key),
      ...servers.map((server) => nameOf(key, server.key)),
    ]),
    ...daemons.map(({ state }) => `daemon ${state}`),
  ].sort();
}

function weights({ services }: Table): Map<string, number> {
  return new Map(
    services.flatMap(({ key, servers }) =>
      servers.map(
        (one) => [nameOf(key, one.key), one.settings.weight] as const,
      ),
    ),
  );
}

/**
 * What it takes at least: a message is about one service, server or daemon, or the timeouts. A service takes its
 * servers with it; a daemon is stopped to be changed.
 */
function leastMessages(
  wanted: Required<Omit<Table, "partial">>,
  existing: Required<Existing>,
): number {
  let count = 0;
  const find = <T extends { readonly key: ServiceKey }>(
    list: readonly T[],
    key: ServiceKey,
  ) => list.find((one) => sameName(one.key, key));
  for (const { key } of existing.services)
    if (!find(wanted.services, key)) count++;
  for (const rule of wanted.services) {
    const service = find(existing.services, rule.key);
    if (!service || !keepsService(service.settings, rule.settings)) count++;
    const has = new Map(
      service?.servers.map((one) => [nameOf(rule.key, one.key), one.settings]),
    );
    for (const { key, settings } of rule.servers) {
      const name = nameOf(rule.key, key);
      const now = has.get(name);
      if (!now || !keepsServer(now, settings)) count++;
      has.delete(name);
    }
    count += has.size;
  }
  const { timeouts } = existing;
  if (
    timeouts.tcpSeconds !== wanted.timeouts.tcpSeconds ||
    timeouts.tcpFinSeconds !== wanted.timeouts.tcpFinSeconds
  )
    count++;
  for (const state of [1, 2]) {
    const from = existing.daemons.find((one) => one.state === state);
    const to = wanted.daemons.find((one) => one.state === state);
    if (from && to) count += keepsDaemon(from, to) ? 0 : 2;
    else if (from ?? to) count++;
  }
  return count;
}
