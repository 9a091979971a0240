import assert from "node:assert/strict";
import { constants } from "node:os";
import { test } from "node:test";
import * as errno from "../../src/netlink/errno.js";

test("an error number has its symbol", () => {
  assert.equal(errno.errnoName(3), "ESRCH");
});

test("the symbols are those of this machine", () => {
  for (const [name, number] of Object.entries(constants.errno))
    // Two of Linux's numbers have two symbols each.
    if (name !== "EWOULDBLOCK" && name !== "ENOTSUP")
      assert.equal(errno.errnoName(number), name);
});

test("the constants are the numbers of their symbols", () => {
  for (const [name, number] of Object.entries(errno))
    if (typeof number === "number") assert.equal(errno.errnoName(number), name);
});

test("an error number has the words of strerror(3)", () => {
  assert.equal(errno.errnoText(19), "No such device");
  assert.equal(errno.errnoText(34), "Numerical result out of range");
});

test("a number that Linux does not use is shown as a number", () => {
  assert.equal(errno.errnoName(41), "errno 41");
  assert.equal(errno.errnoText(41), "Unknown error 41");
  assert.equal(errno.errnoText(524), "Unknown error 524");
});
