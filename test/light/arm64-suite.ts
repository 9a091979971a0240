import assert from "node:assert/strict";
import { suite, test } from "node:test";
import "./encoding.js";
import { LIGHT, run } from "./programs.js";

// Run by test/light/arm64, with the emulator in LIGHT_EMULATOR.
const EMULATOR = process.env["LIGHT_EMULATOR"] ?? "";

suite("the light program for arm64", () => {
  for (const option of ["--version", "-h"])
    test(`prints what that for this machine does with ${option}`, () => {
      const here = run([LIGHT, option]);
      assert.equal(here.status, 0);
      assert.deepEqual(run([EMULATOR, `${LIGHT}-arm64`, option]), here);
    });
});
