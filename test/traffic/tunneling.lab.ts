import assert from "node:assert/strict";
import { before, suite, test } from "node:test";
import { eventually } from "../lab/eventually.js";
import { countersAt } from "./counters.js";
import { balance, ipvsadm } from "./ipvsadm.js";
import { FAR_AWAY } from "./places.js";
import { siteOf } from "./site.js";
import { arrivals, spread } from "./spread.js";

const PAGE = "http://192.0.2.101/";
const GUE_PORT = 6080;
/** The minimum number of packets of a connection: SYN, ACK and the request. */
const PACKETS = 3;

const GRE =
  "ip link add dev tunnel type gre local 198.51.100.13 remote 192.0.2.1";

/** On each real server, the interface that decapsulates this type of tunnel and no other. */
const DECAPSULATION = {
  real1: "ip link add tunnel type ipip local 198.51.100.11 remote 192.0.2.1",
  // ip does not load the module.
  real2: `modprobe fou || true; ip fou add port ${GUE_PORT} gue; ip link add tunnel type ipip local 198.51.100.12 remote 192.0.2.1`,
  real3: GRE,
};
type Host = keyof typeof DECAPSULATION;

suite("tunneling", () => {
  const site = siteOf(FAR_AWAY, {
    real1: { http: [80] },
    real2: { http: [80] },
    real3: { http: [80] },
  });
  before(() => {
    for (const [host, command] of Object.entries(DECAPSULATION))
      site.network.sh(host, `${command}; ip link set dev tunnel up`);
  });

  /** The number of packets that came out of the host's tunnel. */
  function decapsulated(host: Host): number {
    const file = "/sys/class/net/tunnel/statistics/rx_packets";
    return Number(site.network.sh(host, `cat ${file}`));
  }

  /** The number of datagrams that reached a UDP port of the host. */
  function datagrams(host: Host): number {
    const [, values = ""] = site.network
      .sh(host, "grep ^Udp: /proc/net/snmp")
      .split("\n");
    return Number(values.split(" ")[1]);
  }

  /** Makes the interface accept packets with a checksum, or without. It never accepts both. */
  function changeGre(taken: "icsum" | "noicsum"): void {
    site.network.sh("real3", `${GRE} ${taken}`.replace("add", "change"));
  }

  test("ipip works", async () => {
    await balance(`
      -A -t 192.0.2.101:80 -s rr
      -a -t 192.0.2.101:80 -r 198.51.100.11 -i`);
    const before = decapsulated("real1");
    const replies = await site.client.get(PAGE, { count: 3 });
    assert.deepEqual(arrivals(replies), ["192.0.2.10 -> 192.0.2.101:80 real1"]);
    assert.ok(decapsulated("real1") - before >= 3 * PACKETS);
    const counters = await countersAt("192.0.2.101:80", 3);
    assert.equal(counters("192.0.2.101:80 198.51.100.11:80").connections, 3);
    assert.equal(counters("192.0.2.101:80").outPackets, 0);
  });

  for (const [option, shown] of [
    ["nocsum", "-c"],
    ["csum", "\\+c"],
    ["remcsum", "r\\+c"],
  ] as const)
    test(`gue with --tun-${option} works`, async () => {
      await balance(`
        -A -t 192.0.2.101:80 -s rr
        -a -t 192.0.2.101:80 -r 198.51.100.12 -i --tun-type gue --tun-port ${GUE_PORT} --tun-${option}`);
      assert.match(
        await ipvsadm("-Ln --tun-info"),
        new RegExp(`198\\.51\\.100\\.12:80 .*gue:${GUE_PORT}:${shown} `),
      );
      const before = { ip: decapsulated("real2"), udp: datagrams("real2") };
      const replies = await site.client.get(PAGE, { count: 3 });
      assert.deepEqual(arrivals(replies), [
        "192.0.2.10 -> 192.0.2.101:80 real2",
      ]);
      // All packets came in datagrams. Without this check, the interface would also accept plain
      // ipip.
      const since = await eventually(
        () =>
          Promise.resolve({
            udp: datagrams("real2") - before.udp,
            ip: decapsulated("real2") - before.ip,
          }),
        ({ udp, ip }) => udp === ip,
      );
      assert.equal(since.udp, since.ip);
      assert.ok(since.ip >= 3 * PACKETS);
    });

  for (const [option, taken] of [
    ["nocsum", "noicsum"],
    ["csum", "icsum"],
  ] as const)
    test(`gre with --tun-${option} works`, async () => {
      changeGre(taken);
      await balance(`
        -A -t 192.0.2.101:80 -s rr
        -a -t 192.0.2.101:80 -r 198.51.100.13 -i --tun-type gre --tun-${option}`);
      const before = decapsulated("real3");
      const replies = await site.client.get(PAGE, { count: 3 });
      assert.deepEqual(arrivals(replies), [
        "192.0.2.10 -> 192.0.2.101:80 real3",
      ]);
      assert.ok(decapsulated("real3") - before >= 3 * PACKETS);
    });

  test("servers with ipip, gue and gre work together, and one changes its tunnel type", async () => {
    changeGre("noicsum");
    await balance(`
      -A -t 192.0.2.101:80 -s rr
      -a -t 192.0.2.101:80 -r 198.51.100.11 -i --tun-type gre
      -a -t 192.0.2.101:80 -r 198.51.100.12 -i --tun-type gue --tun-port ${GUE_PORT}
      -a -t 192.0.2.101:80 -r 198.51.100.13 -i --tun-type gre`);
    await ipvsadm("-e -t 192.0.2.101:80 -r 198.51.100.11 -i --tun-type ipip");
    const replies = await site.client.get(PAGE, { count: 9 });
    assert.deepEqual(spread(replies), { real1: 3, real2: 3, real3: 3 });
  });
});
