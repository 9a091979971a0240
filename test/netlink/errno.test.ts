import assert from "node:assert/strict";
import { constants } from "node:os";
import { test } from "node:test";
import * as errno from "../../src/netlink/errno.js";

test("errnoName() returns the symbol of an error number", () => {
  assert.equal(errno.errnoName(3), "ESRCH");
});

test("errnoName() agrees with the symbols of this machine", () => {
  for (const [name, number] of Object.entries(constants.errno))
    // Two numbers have two symbols each.
    if (name !== "EWOULDBLOCK" && name !== "ENOTSUP")
      assert.equal(errno.errnoName(number), name);
});

test("the constants of errno.ts are the numbers of their symbols", () => {
  for (const [name, number] of Object.entries(errno))
    if (typeof number === "number") assert.equal(errno.errnoName(number), name);
});

test("errnoText() returns the text of strerror(3)", () => {
  assert.equal(errno.errnoText(19), "No such device");
  assert.equal(errno.errnoText(34), "Numerical result out of range");
});

test("errnoName() and errnoText() show an unknown number as a number", () => {
  assert.equal(errno.errnoName(41), "errno 41");
  assert.equal(errno.errnoText(41), "Unknown error 41");
  assert.equal(errno.errnoText(524), "Unknown error 524");
});
