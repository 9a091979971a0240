import assert from "node:assert/strict";
import { resolve } from "node:path";
import { suite, test } from "node:test";
import { run } from "./programs.js";

suite("the system calls of the light program", () => {
  test("return, or throw a TypeError or RangeError, whatever they are given", () => {
    const seed = String(Date.now() % 1_000_000);
    const fuzzed = run([resolve("dist/light/fuzz-host")], {
      env: { SEED: seed },
    });
    assert.equal(fuzzed.stderr, "", `SEED=${seed}`);
    assert.equal(fuzzed.status, 0, `SEED=${seed}`);
  });
});
