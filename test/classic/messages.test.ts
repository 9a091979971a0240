import assert from "node:assert/strict";
import { test } from "node:test";
import { refusalText } from "../../src/classic/messages.js";
import type { Command } from "../../src/ipvs/errors.js";

const CHANGES: readonly Command[] = [
  "add-service",
  "edit-service",
  "delete-service",
  "add-server",
  "edit-server",
  "delete-server",
  "flush",
  "zero",
  "set",
  "start-daemon",
  "stop-daemon",
  "get-service",
];
const [EPERM, ENOENT, ESRCH, ENOMEM, EEXIST, EINVAL, EMSGSIZE] = [
  1, 2, 3, 12, 17, 22, 90,
];
const [ENOPROTOOPT, EOPNOTSUPP, EAFNOSUPPORT] = [92, 95, 97];

/** Meanings of errnos for some commands. For all others, the C library's text applies. */
function means(
  errno: number,
  special: Partial<Record<Command, string>>,
  otherwise: string,
): void {
  for (const command of CHANGES)
    assert.equal(
      refusalText(command, errno),
      special[command] ?? otherwise,
      command,
    );
}

test("refusalText() of EEXIST", () => {
  means(
    EEXIST,
    {
      "add-service": "Service already exists",
      "add-server": "Destination already exists",
      "start-daemon": "Daemon has already run",
    },
    "File exists",
  );
});

test("refusalText() of ENOENT", () => {
  means(
    ENOENT,
    {
      "add-service": "Scheduler or persistence engine not found",
      "edit-service": "Scheduler or persistence engine not found",
      "edit-server": "No such destination",
      "delete-server": "No such destination",
      // Never reported by the kernel; not in the recording.
      "add-server": refusalText("add-server", ENOENT),
    },
    "No such file or directory",
  );
});

test("refusalText() of ESRCH", () => {
  means(
    ESRCH,
    {
      "edit-service": "No such service",
      "delete-service": "No such service",
      zero: "No such service",
      "get-service": "No such service",
      "add-server": "Service not defined",
      "edit-server": "Service not defined",
      "delete-server": "Service not defined",
      "stop-daemon": "No daemon is running",
    },
    "No such process",
  );
});

test("refusalText() of some errnos does not depend on the command", () => {
  means(EPERM, {}, "Permission denied (you must be root)");
  means(
    EINVAL,
    {},
    "Invalid operation.  Possibly wrong module version, address not unicast, ...",
  );
  means(ENOPROTOOPT, {}, "Protocol not available");
  means(ENOMEM, {}, "Memory allocation problem");
  means(EOPNOTSUPP, {}, "Operation not supported with IPv6");
  means(
    EAFNOSUPPORT,
    {},
    "Operation not supported with specified address family",
  );
  means(EMSGSIZE, {}, "Module is wrong version");
});

test("refusalText() of other errnos is the C library's text", () => {
  means(19, {}, "No such device");
  means(34, {}, "Numerical result out of range");
  means(4095, {}, "Unknown error 4095");
});

test("refusalText() without a command is the general text", () => {
  assert.equal(
    refusalText(undefined, EPERM),
    "Permission denied (you must be root)",
  );
  assert.equal(refusalText(undefined, ESRCH), "No such process");
});
