import assert from "node:assert/strict";
import { test } from "node:test";
import { trackedLimit } from "../../../src/doctor/real-server/tracked-limit.js";
import { told } from "../made-up.js";

test("trackedLimit: a table of connection tracking is full at its limit", () => {
  const find = (tracked: number | undefined, mostTracked: number | undefined) =>
    trackedLimit
      .examine({
        limits: {
          entries: undefined,
          most: undefined,
          loadFactor: undefined,
          ...{ tracked, mostTracked },
        },
      })
      .map(told);
  assert.deepEqual(find(100, 100), [
    ["server-tracks-no-more -", "sysctl -w net.netfilter.nf_conntrack_max=200"],
  ]);
  assert.deepEqual(find(99, 100), []);
  assert.deepEqual(find(5, 0), [], "0 is no limit");
  assert.deepEqual(find(undefined, undefined), [], "no connection tracking");
});
