import assert from "node:assert/strict";
import { test } from "node:test";
import { distance, nearest } from "../src/nearest.js";

test("the distance counts letters put in, left out, replaced and swapped", () => {
  assert.equal(distance("list", "list"), 0);
  assert.equal(distance("list", "lists"), 1);
  assert.equal(distance("list", "lst"), 1);
  assert.equal(distance("list", "last"), 1);
  assert.equal(distance("list", "lsit"), 1);
  assert.equal(distance("", "abc"), 3);
  assert.equal(distance("status", "watch"), 4);
});

test("the nearest is found among those that are near", () => {
  const verbs = ["list", "status", "watch", "connections"];
  assert.equal(nearest("stauts", verbs), "status");
  assert.equal(nearest("LIST", verbs), "list");
  assert.equal(nearest("conn", verbs), "connections");
  assert.equal(nearest("foo", verbs), undefined);
  assert.equal(nearest("w", verbs), undefined);
});

test("the smaller distance wins, wherever it stands", () => {
  assert.equal(nearest("statsu", ["static", "status"]), "status");
  assert.equal(nearest("statsu", ["status", "static"]), "status");
});
