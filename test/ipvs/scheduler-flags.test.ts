import assert from "node:assert/strict";
import { test } from "node:test";
import {
  schedulerFlag,
  schedulerFlagNames,
} from "../../src/ipvs/scheduler-flags.js";

test("schedulerFlag() finds flag-1 to flag-3 for all schedulers", () => {
  assert.deepEqual(
    ["flag-1", "flag-2", "flag-3"].map((name) => schedulerFlag(name)),
    [{ bit: 0x08 }, { bit: 0x10 }, { bit: 0x20 }],
  );
});

test("schedulerFlag() finds a named flag and its scheduler", () => {
  assert.deepEqual(schedulerFlag("sh-fallback"), { bit: 8, scheduler: "sh" });
  assert.deepEqual(schedulerFlag("sh-port"), { bit: 16, scheduler: "sh" });
  assert.deepEqual(schedulerFlag("mh-fallback"), { bit: 8, scheduler: "mh" });
  assert.deepEqual(schedulerFlag("mh-port"), { bit: 16, scheduler: "mh" });
});

test("schedulerFlag() returns undefined for other names", () => {
  for (const name of ["", "flag-0", "flag-4", "FLAG-1", "sh", " flag-1"])
    assert.equal(schedulerFlag(name), undefined, name);
});

test("schedulerFlagNames() returns the scheduler's names of the flags", () => {
  assert.deepEqual(schedulerFlagNames("sh", 0x18), ["sh-fallback", "sh-port"]);
  assert.deepEqual(schedulerFlagNames("mh", 0x10), ["mh-port"]);
  assert.deepEqual(schedulerFlagNames("rr", 0x28), ["flag-1", "flag-3"]);
});

test("schedulerFlagNames() accepts names of object properties as schedulers", () => {
  assert.deepEqual(schedulerFlagNames("constructor", 0x08), ["flag-1"]);
});

test("schedulerFlagNames() leaves out flags for which the scheduler has no name", () => {
  assert.deepEqual(schedulerFlagNames("sh", 0x20), []);
});

test("schedulerFlagNames() ignores PERSISTENT, ONE_PACKET and HASHED", () => {
  assert.deepEqual(schedulerFlagNames("rr", 0x07), []);
});
