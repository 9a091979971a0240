import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { formatAddress, INET, parseAddress } from "../../src/ipvs/address.js";
import { openNodeLink } from "../../src/netlink/node-link.js";
import { NetworkClient } from "../../src/rtnl/client.js";
import { NetworkRefusal } from "../../src/rtnl/errors.js";
import {
  formatHardwareAddress,
  type Device,
  type Neighbor,
  type Route,
} from "../../src/rtnl/model.js";
import { probeObstacle } from "../../src/rtnl/address-owners.js";
import { eventually } from "../lab/eventually.js";
import { buildNetwork, DIRECTOR, type Network } from "../lab/network.js";
import { sh } from "../lab/namespaces.js";

const VIP = "192.0.2.100";
const VIP6 = "2001:db8:1::100";
/** Timeout for probes that get a reply. */
const PATIENCE_MILLISECONDS = 60_000;
/** Timeout for probes without a reply. */
const WAIT_MILLISECONDS = 400;

const MORE_OF_THE_DIRECTOR = `
  ip link add dummy7 type dummy
  ip address add 203.0.113.7/24 dev dummy7 scope link
  ip link add bridge7 mtu 1400 type bridge
  ip link set dummy7 master bridge7 up
  ip link add ipip7 type ipip local 192.0.2.1 remote 192.0.2.200
  ip link add gre7 type gre local 192.0.2.1 remote 192.0.2.201 icsum
  ip link add sit7 type sit external || true
  ip -6 link add six7 type ip6tnl local 2001:db8:1::1 remote 2001:db8:1::200
  ip address add 192.0.2.150 peer 192.0.2.151/32 dev lan
  ip link set ipip7 up
  ip route add 198.51.100.0/24 via 192.0.2.20 mtu 1300 metric 5
  ip route add 198.51.100.0/25 dev ipip7 table 77
  ip route add unreachable 198.51.101.0/24
  ip route add blackhole 198.51.102.0/24
  ip route add prohibit 198.51.103.0/24
  ip route add local 198.51.104.0/24 dev lo
  ip route add 198.51.105.0/24 nexthop via 192.0.2.20 nexthop dev ipip7
  ip route add 198.51.106.0/24 via inet6 2001:db8:1::20 dev lan
  ip -6 route add unreachable 2001:db8:9::/48
  ip -6 route add 2001:db8:8::/48 via 2001:db8:1::20
  ip rule add fwmark 7/0xff lookup 77 priority 700
  ip rule add not from 198.51.100.0/24 to 203.0.113.0/24 iif lan nop priority 701
  ip neigh add 192.0.2.30 lladdr 02:00:00:00:00:30 dev lan nud permanent
  ip neigh add 2001:db8:1::30 lladdr 02:00:00:00:00:31 dev lan nud permanent router
`;
const LESS_OF_THE_DIRECTOR = `
  for link in dummy7 bridge7 ipip7 gre7 sit7 six7; do ip link del $link || true; done
  ip route flush table 77 || true
  for route in unreachable\\ 198.51.101.0/24 blackhole\\ 198.51.102.0/24 prohibit\\ 198.51.103.0/24 \\
    local\\ 198.51.104.0/24; do ip route del $route || true; done
  ip -6 route del unreachable 2001:db8:9::/48 || true
  ip rule del priority 700; ip rule del priority 701
`;

/** The JSON output of an iproute2 command. */
type Said = Readonly<Record<string, unknown>>;
function said(command: string): Said[] {
  return JSON.parse(sh(`ip -json -details ${command}`)) as Said[];
}

function address(text: string): Uint8Array {
  const bytes = parseAddress(text);
  assert.ok(bytes, text);
  return bytes;
}

function shown(bytes: Uint8Array | undefined): string | undefined {
  return bytes && formatAddress(bytes);
}

suite(
  "NetworkClient reads the interfaces, addresses, routes and neighbors of a kernel",
  () => {
    let network: Network;
    let client: NetworkClient;
    let devices: readonly Device[];
    before(async () => {
      network = buildNetwork({
        [DIRECTOR]: {
          addresses: {
            lan: ["192.0.2.1/24", `${VIP}/32`, "2001:db8:1::1/64"],
            lo: [`${VIP6}/128`],
          },
        },
        station: { addresses: { lan: ["192.0.2.20/24", "2001:db8:1::20/64"] } },
        rival: {
          addresses: {
            lan: ["192.0.2.21/24", `${VIP}/32`, `${VIP6}/128`],
          },
        },
      });
      sh(MORE_OF_THE_DIRECTOR);
      client = await NetworkClient.open({ openLink: openNodeLink });
      devices = await client.devices();
      // Neighbor discovery needs a link-local address. The kernel first checks that it is unique.
      await eventually(
        async () => client.addresses(),
        (addresses) => !addresses.some(({ tentative }) => tentative),
      );
    });
    after(() => {
      client[Symbol.dispose]();
      sh(LESS_OF_THE_DIRECTOR);
      network[Symbol.dispose]();
    });

    function named(name: string): Device {
      const device = devices.find((device) => device.name === name);
      assert.ok(device, name);
      return device;
    }

    function nameOf(index: number | undefined): string | undefined {
      return devices.find((device) => device.index === index)?.name;
    }

    test("devices() returns what ip link shows", async () => {
      const flags = (flags: unknown, name: string) =>
        (flags as string[]).includes(name);
      const ours = (await client.devices()).map((device) => ({
        index: device.index,
        name: device.name,
        kind: device.kind,
        up: device.up,
        loopback: device.loopback,
        mtu: device.mtu,
        state: device.state,
        master: nameOf(device.master),
        hardwareAddress:
          device.hardwareAddress?.length === 6
            ? formatHardwareAddress(device.hardwareAddress)
            : undefined,
        local: shown(device.tunnel?.local),
        remote: shown(device.tunnel?.remote),
      }));
      const theirs = said("link show").map((one) => {
        const info = one["linkinfo"] as Said | undefined;
        const data = (info?.["info_data"] ?? {}) as Said;
        const ends = (end: string) =>
          data[end] === "any" || data[end] === "0.0.0.0" || data[end] === "::"
            ? undefined
            : data[end];
        const hardware = one["address"] as string | undefined;
        return {
          index: one["ifindex"],
          name: one["ifname"],
          kind: info?.["info_kind"],
          up: flags(one["flags"], "UP"),
          loopback: flags(one["flags"], "LOOPBACK"),
          mtu: one["mtu"],
          state: (one["operstate"] as string).toLowerCase(),
          master: one["master"],
          hardwareAddress: hardware?.length === 17 ? hardware : undefined,
          local: ends("local"),
          remote: ends("remote"),
        };
      });
      assert.deepEqual(ours, theirs);
      assert.equal(named("ipip7").tunnel?.anyMetadata, false);
      assert.equal(named("gre7").tunnel?.wantsChecksum, true);
      assert.equal(named("six7").kind, "ip6tnl");
      assert.equal(named("dummy7").asksNeighbors, false);
      assert.equal(named("lan").asksNeighbors, true);
      assert.equal(named("ipip7").asksNeighbors, false);
    });

    test("addresses() returns what ip address shows", async () => {
      const ours = (await client.addresses()).map((one) => ({
        device: nameOf(one.device),
        family: one.family === INET ? "inet" : "inet6",
        address: shown(one.address),
        peer: shown(one.peer),
        prefixBits: one.prefixBits,
        scope: one.scope,
        secondary: one.secondary,
      }));
      const theirs = said("address show").flatMap((device) =>
        (device["addr_info"] as Said[]).map((one) => ({
          device: device["ifname"],
          family: one["family"],
          address: one["local"],
          peer: one["address"],
          prefixBits: one["prefixlen"],
          scope: one["scope"],
          secondary: one["secondary"] === true,
        })),
      );
      const inOrder = (list: readonly unknown[]) =>
        list.map((one) => JSON.stringify(one)).sort();
      assert.deepEqual(inOrder(ours), inOrder(theirs));
      assert.ok(ours.some(({ peer }) => peer === "192.0.2.151"));
    });

    test("routes() returns what ip route shows, of all tables", async () => {
      const ours = (await client.routes()).map((route) => routeText(route));
      const theirs = said("route show table all").map(saidRoute);
      assert.deepEqual(ours.sort(), theirs.sort());
      assert.ok(theirs.length > 30, `${theirs.length} routes`);
    });

    /** A route as text, in terms that both sides have. */
    function routeText(route: Route): string {
      const { type, table, metric, mtu, source, hops } = route;
      const target = `${formatAddress(route.target)}/${route.prefixBits}`;
      const ways = hops.map(
        ({ device, gateway }) => `${nameOf(device)} ${shown(gateway) ?? ""}`,
      );
      return words({
        type,
        target,
        table,
        metric,
        mtu,
        source: shown(source),
        ways,
      });
    }

    function saidRoute(one: Said): string {
      const dst = one["dst"] as string;
      const six = one["type"] !== undefined && isSix(one);
      const bits = six ? 128 : 32;
      const target =
        dst === "default"
          ? `${six ? "::" : "0.0.0.0"}/0`
          : dst.includes("/")
            ? dst
            : `${dst}/${bits}`;
      const tables: Readonly<Record<string, number>> = {
        local: 255,
        main: 254,
      };
      const table = (one["table"] as string | undefined) ?? "main";
      const hops = (one["nexthops"] as Said[] | undefined) ?? [one];
      const ways = hops
        .filter((hop) => hop["dev"] !== undefined)
        .map((hop) => {
          const via = hop["via"] as { host: string } | undefined;
          return `${hop["dev"] as string} ${(hop["gateway"] as string | undefined) ?? via?.host ?? ""}`;
        });
      const metrics = one["metrics"] as Said[] | undefined;
      return words({
        type: one["type"],
        target,
        table: tables[table] ?? Number(table),
        metric: one["metric"] ?? 0,
        mtu: metrics?.[0]?.["mtu"],
        source: one["prefsrc"],
        ways,
      });
    }

    function isSix(one: Said): boolean {
      const dst = one["dst"] as string;
      return (
        dst.includes(":") || (dst === "default" && one["pref"] !== undefined)
      );
    }

    function words(route: Readonly<Record<string, unknown>>): string {
      return JSON.stringify(route);
    }

    test("rules() returns what ip rule shows", async () => {
      const rules = await client.rules();
      const ours = rules.map((rule) => [
        rule.priority,
        rule.action,
        rule.action === "table" ? rule.table : undefined,
      ]);
      assert.deepEqual(ours.filter(([priority]) => priority === 0).length, 2);
      const marked = rules.find(({ priority }) => priority === 700);
      assert.deepEqual(marked?.mark, { value: 7, mask: 0xff });
      assert.equal(marked.table, 77);
      assert.equal(marked.inverted, false);
      const inverted = rules.find(({ priority }) => priority === 701);
      assert.ok(inverted?.from && inverted.to);
      assert.equal(inverted.action, "nop");
      assert.equal(inverted.inverted, true);
      assert.equal(inverted.incoming, "lan");
      assert.equal(shown(inverted.from.address), "198.51.100.0");
      assert.equal(inverted.from.bits, 24);
      assert.equal(shown(inverted.to.address), "203.0.113.0");
      const theirs = [...said("rule show"), ...said("-6 rule show")];
      assert.deepEqual(
        rules.map(({ priority }) => priority),
        theirs.map((rule) => rule["priority"]),
      );
    });

    test("neighbors() returns what ip neigh shows", async () => {
      sh(
        `ip neigh replace 192.0.2.20 lladdr ${hardwareOf("station")} dev lan nud reachable`,
      );
      const text = (neighbor: Neighbor) => [
        shown(neighbor.address),
        nameOf(neighbor.device),
        neighbor.hardwareAddress &&
          formatHardwareAddress(neighbor.hardwareAddress),
        neighbor.router,
      ];
      const ours = (await client.neighbors())
        .filter(({ state }) => state !== "noarp")
        .map(text);
      const theirs = said("neigh show").map((one) => [
        one["dst"],
        one["dev"],
        one["lladdr"],
        "router" in one,
      ]);
      assert.deepEqual(ours.sort(), theirs.sort());
      const states = new Map(
        (await client.neighborsOn(named("lan").index)).map((one) => [
          shown(one.address),
          one.state,
        ]),
      );
      assert.equal(states.get("192.0.2.30"), "permanent");
      assert.match(String(states.get("192.0.2.20")), /reachable|delay|stale/);
    });

    test("routeTo() looks up the route of a packet", async () => {
      const way = async (to: string) => {
        const route = await client.routeTo({ to: address(to) });
        return typeof route === "string"
          ? route
          : `${route.type} ${nameOf(route.hops[0]?.device)} ${shown(route.hops[0]?.gateway)} ${shown(route.source)}`;
      };
      assert.equal(await way(VIP), `local lo undefined ${VIP}`);
      assert.equal(await way(VIP6), `local lo undefined ${VIP6}`);
      assert.equal(await way("192.0.2.20"), "unicast lan undefined 192.0.2.1");
      assert.equal(
        await way("198.51.100.9"),
        "unicast lan 192.0.2.20 192.0.2.1",
      );
      assert.equal(
        await way("198.51.106.9"),
        "unicast lan 2001:db8:1::20 192.0.2.1",
      );
      assert.equal(await way("198.51.101.9"), "unreachable");
      assert.equal(await way("198.51.102.9"), "dropped");
      assert.equal(await way("198.51.103.9"), "prohibited");
      assert.equal(await way("100.64.0.1"), "no route");
      assert.equal(await way("2001:db8:9::1"), "unreachable");
      assert.equal(await way("2001:db9::1"), "no route");
    });

    test("routeTo() considers marks and incoming interfaces, and returns routes as configured", async () => {
      const to = address("198.51.100.9");
      const marked = await client.routeTo({ to, mark: 7 });
      assert.ok(typeof marked === "object");
      assert.equal(nameOf(marked.hops[0]?.device), "ipip7");
      const set = await client.routeTo({ to, asConfigured: true });
      assert.ok(typeof set === "object");
      assert.equal(`${shown(set.target)}/${set.prefixBits}`, "198.51.100.0/24");
      assert.equal(set.table, 254);
      assert.equal(set.mtu, 1300);
      const incoming = named("lan").index;
      const from = address("192.0.2.20");
      const local = await client.routeTo({ to: address(VIP), from, incoming });
      assert.equal(typeof local === "object" && local.type, "local");
      const other = address("198.51.100.200");
      network.sh(DIRECTOR, "echo 1 >/proc/sys/net/ipv4/conf/dummy7/rp_filter");
      sh("ip link set dummy7 nomaster");
      const strict = await client.routeTo({
        to: address(VIP),
        from: other,
        incoming: named("dummy7").index,
      });
      assert.equal(strict, "wrong interface");
    });

    test("routeTo() throws ENODEV for an interface that does not exist", async () => {
      await assert.rejects(
        client.routeTo({ to: address("192.0.2.20"), outgoing: 9999 }),
        (error) => error instanceof NetworkRefusal && error.code === "ENODEV",
      );
      await assert.rejects(
        client.findAddressOwner(address("192.0.2.20"), 9999, 100),
        (error) =>
          error instanceof NetworkRefusal &&
          error.code === "ENODEV" &&
          error.message === "Cannot probe a neighbor: ENODEV",
      );
    });

    /** The hardware address of a station's interface. */
    function hardwareOf(host: string): string {
      return network.sh(host, "cat /sys/class/net/lan/address").trim();
    }

    async function findAddressOwner(
      text: string,
      milliseconds = PATIENCE_MILLISECONDS,
    ): Promise<string | undefined> {
      const found = await client.findAddressOwner(
        address(text),
        named("lan").index,
        milliseconds,
      );
      return found && formatHardwareAddress(found);
    }

    function entryOf(text: string): string {
      return sh(`ip neigh show ${text} dev lan`);
    }

    test("findAddressOwner() finds the owner of an address and leaves no neighbor entry", async () => {
      sh(
        "ip neigh del 192.0.2.20 dev lan || true; ip neigh del 2001:db8:1::20 dev lan || true",
      );
      for (const text of ["192.0.2.20", "2001:db8:1::20"]) {
        assert.equal(await findAddressOwner(text), hardwareOf("station"), text);
        assert.equal(entryOf(text), "", text);
      }
    });

    test("findAddressOwner() finds another owner of this machine's own address", async () => {
      for (const text of [VIP, VIP6]) {
        assert.equal(await findAddressOwner(text), hardwareOf("rival"), text);
        assert.equal(entryOf(text), "", text);
      }
    });

    test("findAddressOwner() finds nobody if only this machine has the address, or nobody has it", async () => {
      for (const text of ["192.0.2.1", "192.0.2.99", "2001:db8:1::99"]) {
        assert.equal(
          await findAddressOwner(text, WAIT_MILLISECONDS),
          undefined,
          text,
        );
        assert.equal(entryOf(text), "", text);
      }
    });

    test("findAddressOwner() keeps an existing entry, and does not trust it", async () => {
      const wrong = "02:00:00:00:00:99";
      sh(
        `ip neigh replace 192.0.2.21 lladdr ${wrong} dev lan nud stale; ip neigh replace 192.0.2.20 lladdr ${hardwareOf("station")} dev lan nud stale`,
      );
      assert.equal(
        await findAddressOwner("192.0.2.21", WAIT_MILLISECONDS),
        undefined,
      );
      assert.match(entryOf("192.0.2.21"), new RegExp(wrong));
      assert.equal(await findAddressOwner("192.0.2.20"), hardwareOf("station"));
      assert.match(entryOf("192.0.2.20"), /REACHABLE/);
      assert.equal(await findAddressOwner("192.0.2.30"), "02:00:00:00:00:30");
      assert.match(entryOf("192.0.2.30"), /PERMANENT/);
      sh("ip neigh del 192.0.2.21 dev lan");
    });

    test("probeObstacle() predicts when findAddressOwner() cannot find anybody", async () => {
      const fails = async (text: string, name: string) =>
        probeObstacle(address(text), named(name), await client.addresses());
      assert.equal(await fails(VIP, "lan"), undefined);
      assert.equal(await fails(VIP6, "lan"), undefined);
      assert.equal(await fails(VIP, "ipip7"), "no neighbors");
      // Nobody replies to an ARP request whose source is the requested address,
      sh(
        "ip address del 192.0.2.1/24 dev lan; ip address del 192.0.2.150 peer 192.0.2.151/32 dev lan",
      );
      assert.equal(await fails(VIP, "lan"), "own name");
      assert.equal(await findAddressOwner(VIP, WAIT_MILLISECONDS), undefined);
      // and the kernel ignores neighbor advertisements for its own IPv6 address.
      sh(
        `ip address del ${VIP6}/128 dev lo; ip address add ${VIP6}/128 dev lan nodad`,
      );
      assert.equal(await fails(VIP6, "lan"), "own address");
      assert.equal(await findAddressOwner(VIP6, WAIT_MILLISECONDS), undefined);
    });
  },
);
