import assert from "node:assert/strict";
import { test } from "node:test";
import { InputFailed } from "../../../src/system/files.js";
import { explain } from "../../../src/cli/errors.js";
import { unreadable } from "../../../src/commands/connections/scan.js";

/** The exit status, and the line that the user reads. */
function lineOf(error: unknown): string {
  const { fault, advice, status } =
    explain(unreadable(error, "FILE")) ?? assert.fail();
  return `${status} ${fault}${advice === undefined ? "" : `: ${advice}`}`;
}

function openFault(errno: number): Error {
  return Object.assign(new Error("open"), { errno, syscall: "open" });
}

test("unreadable() explains why the file cannot be read", () => {
  assert.deepEqual(
    [openFault(-2), openFault(-13), openFault(-1), openFault(-24)].map(lineOf),
    [
      "3 cannot open FILE: No such file or directory: load the module as root with 'modprobe ip_vs'",
      "3 cannot open FILE: Permission denied: run it as root",
      "3 cannot open FILE: Operation not permitted: run it as root",
      "3 cannot open FILE: Too many open files",
    ],
  );
  assert.equal(lineOf(new InputFailed("EIO")), "1 cannot read FILE: EIO");
});

test("unreadable() returns other errors unchanged", () => {
  const error = new TypeError("a bug");
  assert.equal(unreadable(error, "FILE"), error);
});
