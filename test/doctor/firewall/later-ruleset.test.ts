import assert from "node:assert/strict";
import { test } from "node:test";
import { parseIptablesSave } from "../../../src/doctor/firewall/iptables-save.js";
import {
  packetsSince,
  readLaterRuleset,
} from "../../../src/doctor/firewall/later-ruleset.js";
import type { Ruleset } from "../../../src/doctor/firewall/ruleset.js";
import { walk } from "../../../src/doctor/firewall/walk.js";
import { INET } from "../../../src/ipvs/address.js";

const DROP = "-m set --match-set bad src -j DROP";
const rules = (dropped: number, rule = DROP, policy = 0): Ruleset => ({
  tables: parseIptablesSave(
    `*filter\n:INPUT DROP [${policy}:0]\n[${dropped}:0] -A INPUT ${rule}\nCOMMIT\n`,
    INET,
    "iptables",
  ),
});
const PACKET = {
  family: INET,
  source: undefined,
  destination: undefined,
} as const;
const [place, policy] = walk(rules(3), "input", PACKET).stops;
assert.ok(place && policy);

/** A clock that only sleeping moves. */
function clock() {
  let time = 1000;
  return {
    now: () => time,
    every: () => () => undefined,
    sleep: (milliseconds: number) => {
      time += milliseconds;
      return Promise.resolve();
    },
  };
}

test("packetsSince() counts what a rule or a policy has matched since", () => {
  const later = (ruleset: Ruleset) => ({ ...ruleset, seconds: 1 });
  assert.equal(packetsSince(place, later(rules(5))), 2n);
  assert.equal(packetsSince(policy, later(rules(3, DROP, 4))), 4n);
  assert.equal(packetsSince(place, undefined), undefined);
  assert.equal(packetsSince(place, later(rules(2))), undefined, "zeroed");
  assert.equal(packetsSince(place, later(rules(9, "-j DROP"))), undefined);
  assert.equal(packetsSince(place, later({ tables: [] })), undefined);
});

test("readLaterRuleset() reads until a counter grows, and for some seconds at most", async () => {
  let readings = 0;
  const read = (grows: number) => () =>
    Promise.resolve(rules(++readings >= grows ? 4 : 3));
  const grown = await readLaterRuleset(clock(), read(2), [place], 1000);
  assert.equal(packetsSince(place, grown), 1n);
  assert.equal(grown?.seconds, 2);
  readings = 0;
  const same = await readLaterRuleset(clock(), read(99), [place], 1000);
  assert.equal(packetsSince(place, same), 0n);
  assert.equal(same?.seconds, 5);
  readings = 0;
  assert.equal(await readLaterRuleset(clock(), read(1), [], 1000), undefined);
  assert.equal(readings, 0);
});
