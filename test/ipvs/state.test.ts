import assert from "node:assert/strict";
import { test } from "node:test";
import { INET } from "../../src/ipvs/address.js";
import { assess, serverState, serviceState } from "../../src/ipvs/state.js";
import { serverEntry, serviceEntry } from "../fixtures/entries.js";

function server(
  weight: number,
  [active, inactive]: readonly [number, number] = [0, 0],
  [lower, upper]: readonly [number, number] = [0, 0],
) {
  const limits = { lowerThreshold: lower, upperThreshold: upper };
  return {
    ...serverEntry("10.0.0.1", 80, { weight, ...limits }),
    activeConnections: active,
    inactiveConnections: inactive,
  };
}

test("serverState() is overloaded from the upper threshold on, counting active and inactive connections", () => {
  assert.equal(serverState(server(1, [60, 40], [0, 100])), "overloaded");
  assert.equal(serverState(server(1, [60, 39], [0, 100])), "maybe-overloaded");
  assert.equal(serverState(server(1, [9999, 9999])), "ok");
});

test("serverState() is ok below the lower threshold, or below three quarters of the upper", () => {
  assert.equal(serverState(server(1, [75, 0], [0, 100])), "maybe-overloaded");
  assert.equal(serverState(server(1, [74, 0], [0, 100])), "ok");
  assert.equal(serverState(server(1, [50, 0], [50, 100])), "maybe-overloaded");
  assert.equal(serverState(server(1, [49, 0], [50, 100])), "ok");
});

test("serverState() is draining with weight 0, regardless of the thresholds", () => {
  assert.equal(serverState(server(0, [100, 0], [0, 100])), "draining");
});

test("serviceState() is ok if at least one server accepts connections", () => {
  assert.equal(serviceState([]), "no-servers");
  assert.equal(serviceState(["draining", "draining"]), "all-drained");
  assert.equal(serviceState(["draining", "overloaded"]), "all-overloaded");
  assert.equal(serviceState(["overloaded", "maybe-overloaded"]), "ok");
  assert.equal(serviceState(["draining", "ok"]), "ok");
});

test("assess() calculates shares from the servers that accept connections", () => {
  const { effectiveWeight, servers, state } = assess(
    serviceEntry({ family: INET, firewallMark: 1 }, {}, [
      server(1),
      server(3),
      server(0),
      server(1000, [1, 0], [0, 1]),
    ]),
  );
  assert.equal(state, "ok");
  assert.equal(effectiveWeight, 4);
  assert.deepEqual(
    servers.map(({ share }) => share),
    [0.25, 0.75, 0, 0],
  );
});

test("assess() gives no shares if no server accepts connections", () => {
  const service = serviceEntry({ family: INET, firewallMark: 1 }, {}, [
    server(0),
  ]);
  assert.equal(assess(service).servers[0]?.share, 0);
});
