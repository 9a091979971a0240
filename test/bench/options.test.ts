import assert from "node:assert/strict";
import { test } from "node:test";
import { readOptions } from "./options.js";

test("without options, everything is measured into dist/bench.json", () => {
  assert.deepEqual(readOptions([]), {
    quick: false,
    strict: false,
    unpinned: false,
    only: "",
    out: "dist/bench.json",
    services: 10_000,
  });
});

test("readOptions() reads all options", () => {
  const words = ["--quick", "--rounds", "7", "--only=list", "--profile=save"];
  const options = readOptions(words);
  assert.equal(options.quick, true);
  assert.equal(options.rounds, 7);
  assert.equal(options.only, "list");
  assert.equal(options.profile, "save");
});

for (const words of [
  ["--rounds", "0"],
  ["--rounds", "many"],
  ["--profile", "all"],
  ["--slowly"],
  ["restore"],
])
  test(`readOptions() rejects ${words.join(" ")}`, () => {
    assert.throws(() => readOptions(words));
  });
