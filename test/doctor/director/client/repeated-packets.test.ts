import assert from "node:assert/strict";
import { test } from "node:test";
import { repeatedPackets } from "../../../../src/doctor/director/client/repeated-packets.js";
import type { Stats } from "../../../../src/ipvs/model.js";
import { serverEntry } from "../../../fixtures/entries.js";

const counted = (stats: Partial<Stats>) => {
  const entry = serverEntry("10.0.0.11", 80);
  return { ...entry, stats: { ...entry.stats, ...stats } };
};

/** What is said if the counters grow by these. */
const said = (more: Partial<Stats>, open = 1) =>
  repeatedPackets(
    counted({ inPackets: 100n, inBytes: 9000n, outPackets: 90n }),
    counted({
      connections: more.connections ?? 0n,
      inPackets: 100n + (more.inPackets ?? 0n),
      inBytes: 9000n + (more.inBytes ?? 0n),
      outPackets: 90n + (more.outPackets ?? 0n),
    }),
    open,
  );

test("repeatedPackets() names the size of a packet that comes again and again", () => {
  assert.match(
    said({ inPackets: 4n, inBytes: 6000n }) ?? "",
    /^each of them has 1500 bytes, /,
  );
});

test("repeatedPackets() says nothing of traffic that goes on", () => {
  // Many packets, a single one, others than full ones, answers, new connections, none of this client
  assert.equal(said({ inPackets: 400n, inBytes: 600_000n }), undefined);
  assert.equal(said({ inPackets: 1n, inBytes: 1500n }), undefined);
  assert.equal(said({ inPackets: 4n, inBytes: 5000n }), undefined);
  assert.equal(said({ inPackets: 4n, inBytes: 5999n }), undefined);
  assert.equal(said({}), undefined);
  const full = { inPackets: 4n, inBytes: 6000n };
  assert.equal(said({ ...full, outPackets: 1n }), undefined);
  assert.equal(said({ ...full, connections: 1n }), undefined);
  assert.equal(said(full, 0), undefined);
});
