import assert from "node:assert/strict";
import { test } from "node:test";
import { InputFailed } from "../../../src/system/files.js";
import { explain } from "../../../src/cli/errors.js";
import { unreadable } from "../../../src/commands/connections/scan.js";

/** The line that somebody reads, and the exit status. */
function told(error: unknown): string {
  const { fault, advice, status } =
    explain(unreadable(error, "FILE")) ?? assert.fail();
  return `${status} ${fault}${advice === undefined ? "" : `: ${advice}`}`;
}

function openFault(errno: number): Error {
  return Object.assign(new Error("open"), { errno, syscall: "open" });
}

test("why the connections cannot be read is told, and what to do", () => {
  assert.deepEqual(
    [openFault(-2), openFault(-13), openFault(-1), openFault(-24)].map(told),
    [
      "3 cannot open FILE: No such file or directory: load the module as root with 'modprobe ip_vs'",
      "3 cannot open FILE: Permission denied: run it as root",
      "3 cannot open FILE: Operation not permitted: run it as root",
      "3 cannot open FILE: Too many open files",
    ],
  );
  assert.equal(told(new InputFailed("EIO")), "1 cannot read FILE: EIO");
});

test("any other error stays what it is", () => {
  const error = new TypeError("a bug");
  assert.equal(unreadable(error, "FILE"), error);
});
