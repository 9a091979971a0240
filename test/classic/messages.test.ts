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

/** What an errno means to some commands; to all others it means what the C library says. */
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

test("EEXIST", () => {
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

test("ENOENT", () => {
  means(
    ENOENT,
    {
      "add-service": "Scheduler or persistence engine not found",
      "edit-service": "Scheduler or persistence engine not found",
      "edit-server": "No such destination",
      "delete-server": "No such destination",
      // Not in the table of the facts; the kernel does not say so.
      "add-server": refusalText("add-server", ENOENT),
    },
    "No such file or directory",
  );
});

test("ESRCH", () => {
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

test("some errors mean the same whatever was asked", () => {
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

test("all other errors are told in the words of the C library", () => {
  means(19, {}, "No such device");
  means(34, {}, "Numerical result out of range");
  means(4095, {}, "Unknown error 4095");
});

test("before anything was asked, an error has its general meaning", () => {
  assert.equal(
    refusalText(undefined, EPERM),
    "Permission denied (you must be root)",
  );
  assert.equal(refusalText(undefined, ESRCH), "No such process");
});
