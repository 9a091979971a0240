import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DIRECTOR } from "../lab/network.js";
import { countersAt } from "./counters.js";
import { balance, ipvsadm } from "./ipvsadm.js";
import { ONE_NETWORK } from "./places.js";
import { siteOf } from "./site.js";
import { answeredBy, arrivals, spread } from "./spread.js";

const DATAGRAMS = ["203.0.113.100:53", "203.0.113.100:54"];
const HARDWARE_ADDRESS = "cat /sys/class/net/lan/address";

suite("direct routing", () => {
  const site = siteOf(ONE_NETWORK, {
    real1: { http: [80], datagrams: DATAGRAMS },
    real2: { http: [80], datagrams: DATAGRAMS },
  });

  test("requests arrive at the virtual address, and replies bypass the director", async () => {
    await balance(`
      -A -t 203.0.113.100:80 -s rr
      -a -t 203.0.113.100:80 -r 203.0.113.11 -g
      -a -t 203.0.113.100:80 -r 203.0.113.12 -g`);
    const replies = await site.client.get("http://203.0.113.100/", {
      count: 10,
    });
    assert.deepEqual(spread(replies), { real1: 5, real2: 5 });
    assert.deepEqual(arrivals(replies), [
      "203.0.113.10 -> 203.0.113.100:80 real1",
      "203.0.113.10 -> 203.0.113.100:80 real2",
    ]);
    const counters = await countersAt("203.0.113.100:80", 10, 40);
    const service = counters("203.0.113.100:80");
    assert.equal(service.connections, 10);
    assert.ok(service.inPackets >= 40, `${service.inPackets} packets in`);
    assert.equal(service.outPackets, 0);
    assert.equal(service.outBytes, 0);
  });

  test("the network resolves the virtual address to the director", async () => {
    await balance(`
      -A -t 203.0.113.100:80 -s rr
      -a -t 203.0.113.100:80 -r 203.0.113.11 -g`);
    const { network } = site;
    network.sh("client", "ip neigh flush dev lan");
    await site.client.get("http://203.0.113.100/");
    assert.match(
      network.sh("client", "ip neigh show 203.0.113.100"),
      new RegExp(`lladdr ${network.sh(DIRECTOR, HARDWARE_ADDRESS).trim()}`),
    );
  });

  test("UDP datagrams of one socket go to the same server", async () => {
    await balance(`
      -A -u 203.0.113.100:53 -s rr
      -a -u 203.0.113.100:53 -r 203.0.113.11 -g
      -a -u 203.0.113.100:53 -r 203.0.113.12 -g`);
    const replies = await site.client.sendDatagrams("203.0.113.100:53", {
      count: 6,
    });
    assert.equal(new Set(answeredBy(replies)).size, 1);
    assert.match(await ipvsadm("-Lnc"), /^UDP .* 203\.0\.113\.100:53 /m);
  });

  test("one-packet scheduling schedules each datagram separately and creates no connection", async () => {
    await balance(`
      -A -u 203.0.113.100:54 -s rr -o
      -a -u 203.0.113.100:54 -r 203.0.113.11 -g
      -a -u 203.0.113.100:54 -r 203.0.113.12 -g`);
    const replies = await site.client.sendDatagrams("203.0.113.100:54", {
      count: 8,
    });
    const names = answeredBy(replies);
    assert.deepEqual(spread(replies), { real1: 4, real2: 4 });
    names.slice(1).forEach((name, i) => {
      assert.notEqual(name, names[i]);
    });
    assert.deepEqual(arrivals(replies), [
      "203.0.113.10 -> 203.0.113.100:54 real1",
      "203.0.113.10 -> 203.0.113.100:54 real2",
    ]);
    assert.doesNotMatch(await ipvsadm("-Lnc"), / 203\.0\.113\.100:54 /);
    const counters = await countersAt("203.0.113.100:54", 8);
    assert.equal(counters("203.0.113.100:54").connections, 8);
  });
});
