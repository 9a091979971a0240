import assert from "node:assert/strict";
import { test } from "node:test";
import { kernelMemory } from "./settle.js";

test("kernelMemory() rounds to MiB", () => {
  const meminfo = (slab: number) =>
    `MemTotal: 2041844 kB\nSUnreclaim:   ${slab} kB\nPercpu:   2048 kB\n`;
  assert.equal(kernelMemory(meminfo(9960)), "SUnreclaim 10, Percpu 2");
  assert.equal(kernelMemory(meminfo(9960)), kernelMemory(meminfo(9970)));
  assert.notEqual(kernelMemory(meminfo(9960)), kernelMemory(meminfo(20_000)));
});
