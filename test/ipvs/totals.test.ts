import assert from "node:assert/strict";
import { test } from "node:test";
import { INET } from "../../src/ipvs/address.js";
import { totalsOf } from "../../src/ipvs/totals.js";
import { serverEntry, serviceEntry, stats } from "../fixtures/entries.js";

test("totalsOf() adds up bigint counters exactly", () => {
  const servers = [12_345, 5].map((activeConnections) => ({
    ...serverEntry("192.0.2.10", 80),
    activeConnections,
  }));
  const service = {
    ...serviceEntry({ family: INET, firewallMark: 1 }, {}, servers),
    stats: stats({ inBytes: 2n ** 53n + 1n }),
  };
  const totals = totalsOf([service, service]);
  assert.equal(totals.services, 2);
  assert.equal(totals.servers, 4);
  assert.equal(totals.activeConnections, 24_700);
  assert.equal(totals.inBytes, 2n ** 54n + 2n);
});
