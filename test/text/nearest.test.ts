import assert from "node:assert/strict";
import { test } from "node:test";
import { distance, nearest } from "../../src/text/nearest.js";

test("distance() counts inserted, deleted, replaced and swapped letters", () => {
  assert.equal(distance("list", "list"), 0);
  assert.equal(distance("list", "lists"), 1);
  assert.equal(distance("list", "lst"), 1);
  assert.equal(distance("list", "last"), 1);
  assert.equal(distance("list", "lsit"), 1);
  assert.equal(distance("", "abc"), 3);
  assert.equal(distance("status", "watch"), 4);
});

test("nearest() finds a similar word", () => {
  const subcommands = ["list", "status", "watch", "connections"];
  assert.equal(nearest("stauts", subcommands), "status");
  assert.equal(nearest("LIST", subcommands), "list");
  assert.equal(nearest("conn", subcommands), "connections");
  assert.equal(nearest("foo", subcommands), undefined);
  assert.equal(nearest("w", subcommands), undefined);
});

test("nearest() prefers the smaller distance, at any position", () => {
  assert.equal(nearest("statsu", ["static", "status"]), "status");
  assert.equal(nearest("statsu", ["status", "static"]), "status");
});

test("nearest() prefers a candidate that begins with the word", () => {
  for (const schedulers of [
    ["rr", "wrr", "wlc"],
    ["wlc", "wrr", "rr"],
  ])
    assert.equal(nearest("wr", schedulers), "wrr");
});
