import assert from "node:assert/strict";
import { test } from "node:test";
import { check, examine } from "../../src/doctor/check.js";
import type { ServiceWithServers } from "../../src/ipvs/model.js";
import { serviceAt } from "./made-up.js";
import { sysctlFix } from "../../src/doctor/sysctls.js";

const drained = check(["all-drained"], ["table"], ({ table }) =>
  table.length > 0
    ? []
    : [{ id: "all-drained", subject: "x", seen: "seen", fix: [] }],
);
const modules = check(["no-servers", "all-overloaded"], ["sysctls"], () => [
  { id: "no-servers", seen: "one", fix: [] },
  { id: "all-overloaded", seen: "other", fix: [] },
]);

test("examine() gives a check its facts and returns its findings", () => {
  const { findings, examined, unexamined } = examine([drained], { table: [] });
  assert.deepEqual(
    findings.map(({ seen }) => seen),
    ["seen"],
  );
  assert.deepEqual(examined, ["all-drained"]);
  assert.deepEqual(unexamined, []);
});

test("examine() names the findings that could not be checked, and the missing fact", () => {
  const { findings, examined, unexamined } = examine([drained, modules], {
    sysctls: new Map(),
  });
  assert.equal(findings.length, 2);
  assert.deepEqual(examined, ["no-servers", "all-overloaded"]);
  assert.deepEqual(unexamined, [{ id: "all-drained", wanting: "table" }]);
});

test("examine() does not count a check that finds nothing and rules nothing out", () => {
  const quiet = (found: boolean) =>
    check(
      ["no-servers"],
      ["table"],
      () => (found ? [{ id: "no-servers", seen: "seen", fix: [] }] : []),
      ({ table }) => table.length > 0,
    );
  const examined = (found: boolean, table: readonly ServiceWithServers[]) =>
    examine([quiet(found)], { table }).examined;
  assert.deepEqual(examined(false, []), []);
  assert.deepEqual(examined(true, []), ["no-servers"]);
  assert.deepEqual(examined(false, [serviceAt("192.0.2.1")]), ["no-servers"]);
  assert.deepEqual(examine([quiet(false)], { table: [] }).unexamined, []);
});

test("examine() runs only the checks for wanted findings", () => {
  const facts = { table: [], sysctls: new Map<string, string>() };
  const { findings, examined } = examine(
    [drained, modules],
    facts,
    (id) => id === "all-overloaded",
  );
  assert.deepEqual(
    findings.map(({ seen }) => seen),
    ["other"],
  );
  assert.deepEqual(examined, ["all-overloaded"]);
});

test("examine() drops fixes that write a read-only setting of this machine, and no others", () => {
  const crowded = check(["hash-small"], ["table"], () => [
    {
      id: "hash-small",
      seen: "seen",
      fix: [
        sysctlFix({ "net/ipv4/vs/conn_lfactor": -4 }, "effect"),
        sysctlFix({ "net/ipv4/vs/conn_max": 1 }, "effect"),
        sysctlFix({ "net/ipv4/vs/conn_lfactor": 1 }, "effect", "elsewhere"),
        { command: "modprobe ip_vs" },
      ],
    },
  ]);
  const commands = (...fixed: string[]) =>
    examine([crowded], { table: [], fixedSysctls: new Set(fixed) })
      .findings.flatMap(({ fix }) => fix)
      .map(({ command }) => command);
  assert.equal(commands().length, 4);
  assert.deepEqual(commands("net/ipv4/vs/conn_lfactor"), [
    "sysctl -w net.ipv4.vs.conn_max=1",
    "sysctl -w net.ipv4.vs.conn_lfactor=1",
    "modprobe ip_vs",
  ]);
});
