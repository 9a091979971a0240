import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { PathSize } from "../../src/doctor/path-size.js";
import { droppingWays, seenText } from "../../src/doctor/smaller-mtu.js";
import type { Route } from "../../src/rtnl/model.js";
import { address } from "../fixtures/entries.js";
import { device, route } from "./made-up-network.js";

const DEVICES = [device(1, { mtu: 9000 }), device(2, { name: "a;b" })];

/** The route of a directly attached network: 10.0.0.0/24 of eth1 */
const near = (given: Partial<Route> = {}) =>
  route("10.0.0.0", "unicast", 1, undefined, {
    prefixBits: 24,
    source: address("10.0.0.1"),
    ...given,
  });
const far = (given: Partial<Route> = {}) =>
  route("172.16.0.0", "unicast", 1, "10.0.0.254", {
    prefixBits: 16,
    protocol: 3,
    ...given,
  });

function size(text: string, given: Partial<PathSize> = {}): PathSize {
  return {
    to: address(text),
    device: 1,
    full: 9000,
    measure: { outcome: "dropped", largest: 1500 },
    ...given,
  };
}

const carried = { measure: { outcome: "carried" } } as const;

const commands = (...sizes: PathSize[]) =>
  droppingWays(sizes, DEVICES).map(({ fix }) =>
    fix.map(({ command }) => command),
  );

suite("droppingWays()", () => {
  test("droppingWays() changes the interface if nothing of full size gets through there", () => {
    assert.deepEqual(
      commands(
        size("10.0.0.11", { route: near() }),
        size("10.0.0.12", { route: near() }),
      ),
      [["ip link set dev eth1 mtu 1500"]],
    );
    assert.deepEqual(
      commands(
        size("10.0.0.11", {
          route: near({ hops: [{ device: 2, gateway: undefined }] }),
          device: 2,
        }),
      ),
      [["ip link set dev 'a;b' mtu 1500"]],
    );
  });

  test("droppingWays() puts both families of an interface together", () => {
    const near6 = route("2001:db8::", "unicast", 1, undefined, {
      prefixBits: 64,
      metric: 256,
    });
    assert.deepEqual(
      commands(
        size("10.0.0.11", { route: near() }),
        size("2001:db8::11", { route: near6 }),
      ),
      [["ip link set dev eth1 mtu 1500"]],
    );
  });

  test("droppingWays() adds a route to one machine if another one behind the interface gets large packets", () => {
    const [ways, ...more] = droppingWays(
      [
        size("10.0.0.11", { route: near() }),
        size("10.0.0.12", carried),
        // Smaller packets prove nothing.
        size("10.0.0.13", { ...carried, full: 1400 }),
      ],
      DEVICES,
    );
    assert.deepEqual(more, []);
    assert.deepEqual(
      ways?.fix.map(({ command }) => command),
      ["ip route add 10.0.0.11/32 dev eth1 src 10.0.0.1 mtu 1500"],
    );
    assert.deepEqual(ways.others, [address("10.0.0.12")]);
  });

  test("droppingWays() changes the route to machines behind a router, and keeps all that it has", () => {
    assert.deepEqual(
      commands(
        size("172.16.0.11", { route: far() }),
        size("172.16.0.12", { route: far() }),
      ),
      [["ip route change 172.16.0.0/16 via 10.0.0.254 dev eth1 mtu 1500"]],
    );
    const full = far({
      protocol: 4,
      metric: 100,
      table: 7,
      source: address("10.0.0.1"),
    });
    assert.deepEqual(commands(size("172.16.0.11", { route: full })), [
      [
        "ip route change 172.16.0.0/16 via 10.0.0.254 dev eth1 proto static src 10.0.0.1 metric 100 table 7 mtu 1500",
      ],
    ]);
    const far6 = route("2001:db8:9::", "unicast", 1, "fe80::1", {
      prefixBits: 48,
      protocol: 9,
      metric: 1024,
    });
    assert.deepEqual(commands(size("2001:db8:9::11", { route: far6 })), [
      ["ip route change 2001:db8:9::/48 via fe80::1 dev eth1 proto 9 mtu 1500"],
    ]);
    const other = far({ hops: [{ device: 1, gateway: address("fe80::1") }] });
    assert.deepEqual(commands(size("172.16.0.11", { route: other })), [
      ["ip route change 172.16.0.0/16 via inet6 fe80::1 dev eth1 mtu 1500"],
    ]);
  });

  test("droppingWays() changes a route that has an MTU of its own", () => {
    assert.deepEqual(
      commands(size("10.0.0.11", { route: near({ mtu: 9000 }) })),
      [
        [
          "ip route change 10.0.0.0/24 dev eth1 proto kernel src 10.0.0.1 mtu 1500",
        ],
      ],
    );
  });

  test("droppingWays() leaves the default route, and routes with machines that get large packets", () => {
    const standard = far({ target: address("0.0.0.0"), prefixBits: 0 });
    const host = [
      "ip route add 172.16.0.11/32 via 10.0.0.254 dev eth1 mtu 1500",
    ];
    assert.deepEqual(commands(size("172.16.0.11", { route: standard })), [
      host,
    ]);
    assert.deepEqual(
      commands(
        size("172.16.0.11", { route: far() }),
        size("172.16.0.12", carried),
      ),
      [host],
    );
    // One that is on another route does not count.
    assert.deepEqual(
      commands(
        size("172.16.0.11", { route: far() }),
        size("10.0.0.12", carried),
      ),
      [["ip route change 172.16.0.0/16 via 10.0.0.254 dev eth1 mtu 1500"]],
    );
  });

  test("droppingWays() has no command without a route, with several hops, or if nothing gets through", () => {
    const hops = [
      { device: 1, gateway: address("10.0.0.254") },
      { device: 1, gateway: address("10.0.0.253") },
    ];
    assert.deepEqual(commands(size("172.16.0.11")), [[]]);
    assert.deepEqual(commands(size("172.16.0.11", { route: far({ hops }) })), [
      [],
    ]);
    const none = { outcome: "dropped", largest: undefined } as const;
    const [ways] = droppingWays(
      [size("10.0.0.11", { route: near(), measure: none })],
      DEVICES,
    );
    assert.ok(ways);
    assert.deepEqual(ways.fix, []);
    assert.match(seenText(ways), /^packets of 9000 bytes do not get there, /);
  });

  test("droppingWays() finds nothing if all packets get through, or nothing is known", () => {
    const unknown = { outcome: "unknown", reason: "-" } as const;
    assert.deepEqual(
      commands(
        size("10.0.0.11", carried),
        size("10.0.0.12", { measure: unknown }),
      ),
      [],
    );
  });
});
