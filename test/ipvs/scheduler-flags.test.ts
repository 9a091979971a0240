import assert from "node:assert/strict";
import { test } from "node:test";
import {
  schedulerFlag,
  schedulerFlagNames,
} from "../../src/ipvs/scheduler-flags.js";

test("a flag of all schedulers has a number for a name", () => {
  assert.deepEqual(
    ["flag-1", "flag-2", "flag-3"].map((name) => schedulerFlag(name)),
    [{ bit: 0x08 }, { bit: 0x10 }, { bit: 0x20 }],
  );
});

test("a flag with a name belongs to one scheduler", () => {
  assert.deepEqual(schedulerFlag("sh-fallback"), { bit: 8, scheduler: "sh" });
  assert.deepEqual(schedulerFlag("sh-port"), { bit: 16, scheduler: "sh" });
  assert.deepEqual(schedulerFlag("mh-fallback"), { bit: 8, scheduler: "mh" });
  assert.deepEqual(schedulerFlag("mh-port"), { bit: 16, scheduler: "mh" });
});

test("there are no other flags", () => {
  for (const name of ["", "flag-0", "flag-4", "FLAG-1", "sh", " flag-1"])
    assert.equal(schedulerFlag(name), undefined, name);
});

test("flags that are set have the names that their scheduler gives them", () => {
  assert.deepEqual(schedulerFlagNames("sh", 0x18), ["sh-fallback", "sh-port"]);
  assert.deepEqual(schedulerFlagNames("mh", 0x10), ["mh-port"]);
  assert.deepEqual(schedulerFlagNames("rr", 0x28), ["flag-1", "flag-3"]);
});

test("a scheduler's name is no property of an object", () => {
  assert.deepEqual(schedulerFlagNames("constructor", 0x08), ["flag-1"]);
});

test("a flag for which the scheduler has no name is not named", () => {
  assert.deepEqual(schedulerFlagNames("sh", 0x20), []);
});

test("persistence, one-packet scheduling and the kernel's mark are none of the scheduler's", () => {
  assert.deepEqual(schedulerFlagNames("rr", 0x07), []);
});
