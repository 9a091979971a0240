import assert from "node:assert/strict";
import { test } from "node:test";
import { tunnel } from "../../../src/doctor/real-server/tunnel.js";
import type { RealServer } from "../../../src/doctor/real-server/real-server.js";
import type { Tunnel } from "../../../src/rtnl/model.js";
import { address } from "../../fixtures/entries.js";
import { device, LAN, LO, realServer } from "./made-up.js";

const OPEN: Tunnel = {
  local: undefined,
  remote: undefined,
  inside: undefined,
  anyMetadata: false,
  wantsChecksum: false,
};
const BETWEEN: Tunnel = {
  ...OPEN,
  local: address("192.0.2.11"),
  remote: address("10.0.0.1"),
};

function found(
  tunnels: Readonly<Record<string, Tunnel>>,
  change: Partial<RealServer> = {},
) {
  const devices = Object.entries(tunnels).map(([name, one], at) =>
    device(5 + at, name, { kind: "gre", tunnel: one, asksNeighbors: false }),
  );
  return tunnel.examine({
    realServer: realServer({
      method: "gre",
      director: address("10.0.0.1"),
      devices: [LO, LAN, ...devices],
      ...change,
    }),
  });
}

test("tunnel: a GRE interface with a key or sequence numbers takes no packets of IPVS", () => {
  const [finding] = found({
    gre7: { ...BETWEEN, wants: ["a key", "sequence numbers"] },
  });
  assert.equal(
    finding?.seen,
    "gre7 takes only packets with a key and sequence numbers, which IPVS does not send",
  );
  // The interface of the module gets what this one does not take.
  assert.deepEqual(
    found({ gre0: OPEN, gre7: { ...BETWEEN, wants: ["a key"] } }),
    [],
  );
});

test("tunnel: the GRE interface that gets the packets must want checksums as the director sends them", () => {
  const wants = { ...BETWEEN, wantsChecksum: true };
  const [without] = found({ gre0: OPEN, gre7: wants });
  assert.match(without?.seen ?? "", /^gre7 takes only packets with checksums/);
  // Only the director knows whether it sends checksums.
  assert.equal(without?.certainty, "likely");
  assert.deepEqual(
    without.fix.map(({ command }) => command),
    ["ip link set gre7 type gre noicsum"],
  );
  assert.deepEqual(
    found({ gre0: OPEN, gre7: wants }, { tunnelChecksum: true }),
    [],
  );
  const [sent] = found({ gre0: OPEN, gre7: BETWEEN }, { tunnelChecksum: true });
  assert.deepEqual(
    sent?.fix.map(({ command }) => command),
    ["ip link set gre7 type gre icsum"],
  );
  assert.equal(sent.certainty, undefined);
  assert.deepEqual(found({ gre0: OPEN, gre7: BETWEEN }), []);
});

test("tunnel: the GRE interface of the module cannot be changed, so the director must be", () => {
  const [finding] = found({ gre0: OPEN }, { tunnelChecksum: true });
  assert.deepEqual(finding?.fix, []);
  assert.match(finding.cure ?? "", /-e in place of -a and without --tun-csum/);
  assert.deepEqual(found({ gre0: OPEN }), []);
});
