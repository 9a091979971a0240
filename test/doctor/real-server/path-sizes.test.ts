import assert from "node:assert/strict";
import { test } from "node:test";
import { backSizes } from "../../../src/doctor/real-server/path-sizes.js";
import type { RealServer } from "../../../src/doctor/real-server/real-server.js";
import { backTargets } from "../../../src/doctor/real-server/size-targets.js";
import { formatAddress } from "../../../src/ipvs/address.js";
import { address } from "../../fixtures/entries.js";
import { told } from "../made-up.js";
import { LAN, owned, realServer, route, VIP, withWays } from "./made-up.js";

const WIDE = { ...LAN, mtu: 9000 };
const DIRECTOR = address("192.0.2.1");
const BACK = route("unicast", WIDE, "192.0.2.254");

/** The machines that are tried: address, size and source. @param source that the kernel chooses */
async function targets(
  change: Partial<RealServer>,
  source = "192.0.2.11",
  mtu?: number,
): Promise<string[]> {
  const server = withWays(
    { back: BACK },
    { devices: [WIDE], routes: [BACK], director: DIRECTOR, ...change },
  );
  const found = await backTargets(
    {
      routeTo: ({ to }) =>
        Promise.resolve(
          route("unicast", WIDE, undefined, {
            target: to,
            prefixBits: 32,
            source: address(source),
            mtu,
          }),
        ),
    },
    server,
  );
  return found.map(
    ({ to, full, from }) =>
      `${formatAddress(to)} ${full} ${from ? formatAddress(from) : "-"}`,
  );
}

test("backTargets() tries the director with masquerading, and else the routers of answers", async () => {
  const client = address("198.51.100.7");
  assert.deepEqual(await targets({ method: "masq", client }), [
    "192.0.2.1 9000 -",
  ]);
  assert.deepEqual(await targets({ method: "direct", client }), [
    "192.0.2.254 9000 -",
  ]);
  assert.deepEqual(await targets({ method: "tunnel", client }), [
    "192.0.2.254 9000 -",
  ]);
  assert.deepEqual(await targets({ client }), [
    "192.0.2.1 9000 -",
    "192.0.2.254 9000 -",
  ]);
  assert.deepEqual(await targets({ method: "masq", director: undefined }), []);
});

test("backTargets() goes by the MTU of the route, and sends from no virtual address", async () => {
  const masq = { method: "masq" } as const;
  assert.deepEqual(await targets(masq, "192.0.2.11", 1400), [
    "192.0.2.1 1400 -",
  ]);
  assert.deepEqual(
    await targets(
      {
        ...masq,
        addresses: [owned(WIDE, `${VIP}/32`), owned(WIDE, "192.0.2.11/24")],
      },
      VIP,
    ),
    ["192.0.2.1 9000 192.0.2.11"],
  );
  assert.deepEqual(
    await targets({ ...masq, addresses: [owned(WIDE, `${VIP}/32`)] }, VIP),
    [],
  );
});

test("backSizes names the machine, the size that gets there, and the command", () => {
  const [finding, ...others] = backSizes.examine({
    realServer: realServer({ devices: [WIDE] }),
    sizes: [
      {
        to: DIRECTOR,
        device: WIDE.index,
        full: 9000,
        measure: { outcome: "dropped", largest: 1500 },
        route: route("unicast", WIDE, undefined, {
          target: address("192.0.2.0"),
          prefixBits: 24,
        }),
      },
    ],
  });
  assert.deepEqual(others, []);
  assert.ok(finding);
  assert.deepEqual(told(finding), [
    "path-back-too-small 192.0.2.1",
    "ip link set dev lan mtu 1500",
  ]);
  assert.equal(
    finding.evidence?.at(-1),
    "packets leave by lan, and have up to 9000 bytes there",
  );
});
