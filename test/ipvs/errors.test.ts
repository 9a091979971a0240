import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ReplyLost,
  IpvsUnavailable,
  KernelRefusal,
  TableUnsteady,
} from "../../src/ipvs/errors.js";

test("KernelRefusal names the command, its object and the errno", () => {
  const refusal = new KernelRefusal(3, "delete-service", "TCP 192.0.2.1:80");
  assert.equal(
    refusal.message,
    "Cannot delete-service TCP 192.0.2.1:80: ESRCH",
  );
  assert.equal(refusal.explanation, undefined);
});

test("KernelRefusal of the whole table names no object", () => {
  assert.equal(
    new KernelRefusal(1, "flush", "").message,
    "Cannot flush: EPERM",
  );
});

test("KernelRefusal contains the kernel's explanation", () => {
  assert.equal(
    new KernelRefusal(22, "set", "", "too long").message,
    "Cannot set: EINVAL (too long)",
  );
});

test("ReplyLost says that the change may have been carried out", () => {
  assert.match(
    new ReplyLost("add-service", "FWM 1").message,
    /add-service FWM 1 .*may or may not/,
  );
});

test("ReplyLost of the whole table names no object", () => {
  assert.match(new ReplyLost("flush", "").message, /reply to flush was lost/);
});

test("the errors have errno and code, like errors of Node.js", () => {
  assert.equal(new KernelRefusal(17, "add-service", "FWM 1").code, "EEXIST");
  assert.equal(new IpvsUnavailable(1).code, "EPERM");
});

const ADVICE: readonly (readonly [
  Error & { readonly advice: string | undefined },
  RegExp | undefined,
])[] = [
  [new IpvsUnavailable(2), /modprobe ip_vs/],
  [new IpvsUnavailable(1), /as root, or with CAP_NET_ADMIN/],
  [new IpvsUnavailable(105), /try again/],
  [new KernelRefusal(1, "flush", ""), /as root, or with CAP_NET_ADMIN/],
  [new KernelRefusal(17, "add-service", "FWM 1"), /edit it, or delete it/],
  [new KernelRefusal(2, "add-service", "FWM 1"), /scheduler .*modprobe/],
  [new KernelRefusal(2, "edit-server", "x of FWM 1"), /add the server first/],
  [new KernelRefusal(3, "add-server", "x of FWM 1"), /add its service first/],
  [new KernelRefusal(3, "stop-daemon", "master"), undefined],
  [new KernelRefusal(22, "list-services", ""), undefined],
  [new ReplyLost("flush", ""), /look at the table/],
  [new TableUnsteady(10), /try again/],
];
for (const [error, advice] of ADVICE)
  test(`advice for "${error.message}"`, () => {
    if (advice) assert.match(error.advice ?? "", advice);
    else assert.equal(error.advice, undefined);
  });

test("IpvsUnavailable has an errno, TableUnsteady the number of attempts", () => {
  assert.equal(new IpvsUnavailable(2).errno, 2);
  assert.match(new IpvsUnavailable(2).message, /ENOENT/);
  assert.equal(new TableUnsteady(10).attempts, 10);
});
