import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AmbiguousSelector,
  SelectorFault,
  UnknownSelected,
} from "../../src/grammar/selector.js";
import {
  ReplyLost,
  IpvsUnavailable,
  KernelRefusal,
  TableUnsteady,
} from "../../src/ipvs/errors.js";
import { TableChanged } from "../../src/plan/plan-failed.js";
import {
  EACCES,
  EEXIST,
  ENOBUFS,
  ENOENT,
  EPERM,
  EPROTONOSUPPORT,
} from "../../src/netlink/errno.js";
import { MalformedReply, SocketFault } from "../../src/netlink/errors.js";
import { NetworkRefusal } from "../../src/rtnl/errors.js";
import { OutputFailed } from "../../src/system/atomic-file.js";
import { InputFailed } from "../../src/system/files.js";
import { LockFailed, LockHeld } from "../../src/system/lock.js";
import { explain, CommandError, UsageError } from "../../src/cli/errors.js";

/** The exit status, and the line that the user reads. */
function lineOf(error: Error): string {
  const { fault, advice, status } = explain(error) ?? assert.fail(error.name);
  return `${status} ${fault}${advice === undefined ? "" : `: ${advice}`}`;
}

const subject = "TCP 192.0.2.1:80";
const ERRORS: readonly (readonly [Error, string])[] = [
  [
    new IpvsUnavailable(ENOENT),
    "3 cannot reach IPVS in the kernel: No such file or directory: load its module as root with 'modprobe ip_vs'",
  ],
  [
    new IpvsUnavailable(EPERM),
    "3 cannot reach IPVS in the kernel: Operation not permitted: run it as root, or with CAP_NET_ADMIN",
  ],
  [
    new SocketFault(EPROTONOSUPPORT, "socket"),
    "3 cannot reach IPVS in the kernel: socket: Protocol not supported: this kernel has no generic netlink; use a Linux kernel with IPVS",
  ],
  [
    new SocketFault(ENOBUFS, "recvmsg"),
    "3 cannot reach IPVS in the kernel: recvmsg: No buffer space available: try again",
  ],
  [
    new KernelRefusal(EEXIST, "add-service", subject),
    "1 cannot add service TCP 192.0.2.1:80: File exists: edit it, or delete it first",
  ],
  [
    new KernelRefusal(EACCES, "flush", ""),
    "3 cannot flush: Permission denied: run it as root, or with CAP_NET_ADMIN",
  ],
  [
    new KernelRefusal(EEXIST, "zero", "", "details"),
    "1 cannot zero: File exists (details)",
  ],
  [
    new NetworkRefusal(1, "read the routes"),
    "3 cannot read the routes: Operation not permitted: run it as root, or with CAP_NET_ADMIN",
  ],
  [
    new NetworkRefusal(19, "probe a neighbor", "details"),
    "1 cannot probe a neighbor: No such device (details): list the interfaces with 'ip link'",
  ],
  [
    new TableUnsteady(10),
    "1 cannot read the table: it changed during each of 10 attempts: try again",
  ],
  [
    new ReplyLost("edit-server", subject),
    '1 the kernel\'s reply to "edit server TCP 192.0.2.1:80" was lost: the change may or may not have been made: look at the table',
  ],
  [
    new MalformedReply("short", 4),
    "1 malformed reply from the kernel: short (at byte 4): this is a bug of this program or of the kernel: please report it",
  ],
  [
    new TableChanged(),
    "1 another program changed the table in the meantime: nothing was changed: try again",
  ],
  [
    new LockHeld("/run/x.lock", { pid: 7, subcommand: "apply", visible: true }),
    "1 'ipvsadm apply' is changing the table (process 7): nothing was changed: wait until it ends",
  ],
  [
    new LockHeld("/run/x.lock", {
      pid: 7,
      subcommand: "library",
      visible: true,
    }),
    "1 a program that uses the library is changing the table (process 7): nothing was changed: wait until it ends",
  ],
  [
    new LockHeld("/run/x.lock", {
      pid: 7,
      subcommand: "apply",
      visible: false,
    }),
    "1 'ipvsadm apply' is changing the table in another container (process 7 there, lock file /run/x.lock): nothing was changed: wait until it ends; if that container or process no longer exists, remove the file",
  ],
  [
    new LockHeld("/run/x.lock", undefined),
    "1 /run/x.lock is not a lock file of ipvsadm: nothing was changed: find out which program made it, and remove it if none needs it",
  ],
  [
    new LockFailed("/run/x.lock", "EACCES"),
    "3 cannot lock the table with /run/x.lock: Permission denied: run it as root, or make that folder writable",
  ],
  [
    new LockFailed("/run/x.lock", "ENOSPC"),
    "1 cannot lock the table with /run/x.lock: No space left on device",
  ],
  [
    new OutputFailed("/etc/x\x1b", "EROFS", { existed: true }),
    "1 cannot write /etc/x?: Read-only file system: the old file was kept",
  ],
  [
    new OutputFailed("/none/x", "ENOENT"),
    "1 cannot write /none/x: No such file or directory",
  ],
  [new OutputFailed("/x", "EWEIRD"), "1 cannot write /x: EWEIRD"],
  [new InputFailed("EISDIR"), "1 cannot read the input: Is a directory"],
  [
    new SelectorFault("x is no service", "write one"),
    "2 x is no service: write one",
  ],
  [new UnknownSelected("there is no x", "look"), "1 there is no x: look"],
  [
    new AmbiguousSelector("x may be any of 2", "say which"),
    "1 x may be any of 2: say which",
  ],
  [new CommandError("it is broken", "fix it", 4), "4 it is broken: fix it"],
  [
    new UsageError("unknown option --x", "list", "--y"),
    "2 unknown option --x: did you mean --y? see 'ipvsadm list --help'",
  ],
  [
    new UsageError("there is no subcommand x"),
    "2 there is no subcommand x: 'ipvsadm help' lists the subcommands",
  ],
];
for (const [error, line] of ERRORS)
  test(`explain() explains ${error.name}: ${line}`, () => {
    assert.equal(lineOf(error), line);
  });

test("explain() returns undefined for a bug", () => {
  assert.equal(explain(new TypeError("a bug")), undefined);
});
