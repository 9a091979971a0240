import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { countersAt } from "./counters.js";
import { balance, ipvsadm } from "./ipvsadm.js";
import { BEHIND_DIRECTOR } from "./places.js";
import { siteOf } from "./site.js";
import { answeredBy, arrivals, spread, turns } from "./spread.js";

suite("masquerading", () => {
  const site = siteOf(BEHIND_DIRECTOR, {
    real1: { http: [8080, 8081], datagrams: ["198.51.100.11:5353"] },
    real2: { http: [8080, 8081], datagrams: ["198.51.100.12:5353"] },
  });

  test("connections arrive at the servers' ports, distributed by weight", async () => {
    await balance(`
      -A -t 192.0.2.100:80 -s wrr
      -a -t 192.0.2.100:80 -r 198.51.100.11:8080 -m -w 2
      -a -t 192.0.2.100:80 -r 198.51.100.12:8081 -m -w 1`);
    const replies = await site.client.get("http://192.0.2.100/", { count: 30 });
    assert.deepEqual(spread(replies), { real1: 20, real2: 10 });
    assert.deepEqual(arrivals(replies), [
      "192.0.2.10 -> 198.51.100.11:8080 real1",
      "192.0.2.10 -> 198.51.100.12:8081 real2",
    ]);
  });

  test("connections and packets in both directions are counted", async () => {
    await balance(`
      -A -t 192.0.2.100:81 -s wrr
      -a -t 192.0.2.100:81 -r 198.51.100.11:8080 -m -w 1
      -a -t 192.0.2.100:81 -r 198.51.100.12:8080 -m -w 3`);
    await site.client.get("http://192.0.2.100:81/", { count: 12 });
    const counters = await countersAt("192.0.2.100:81", 12);
    const service = counters("192.0.2.100:81");
    const real1 = counters("192.0.2.100:81 198.51.100.11:8080");
    const real2 = counters("192.0.2.100:81 198.51.100.12:8080");
    assert.deepEqual(
      [service, real1, real2].map(({ connections }) => connections),
      [12, 3, 9],
    );
    // A reply has about 4000 bytes, a request about 100. The end of the last one may not be counted
    // yet.
    assert.ok(service.outBytes > 11 * 4000, `${service.outBytes} bytes out`);
    assert.ok(service.inBytes < 12 * 2000, `${service.inBytes} bytes in`);
    assert.equal(service.inPackets, real1.inPackets + real2.inPackets);
    assert.equal(service.outPackets, real1.outPackets + real2.outPackets);
  });

  test("-Lnc lists a connection with client, virtual address and server", async () => {
    await balance(`
      -A -t 192.0.2.100:82 -s rr
      -a -t 192.0.2.100:82 -r 198.51.100.11:8080 -m`);
    const held = await site.client.hold("http://192.0.2.100:82/");
    assert.match(
      await ipvsadm("-Lnc"),
      new RegExp(
        `^TCP \\d\\d:\\d\\d {2}ESTABLISHED 192\\.0\\.2\\.10:${held.localPort} +192\\.0\\.2\\.100:82 +198\\.51\\.100\\.11:8080$`,
        "m",
      ),
    );
    assert.match(
      await ipvsadm("-Ln"),
      /^ {2}-> 198\.51\.100\.11:8080 +Masq +1 +1 +0 *$/m,
    );
    await held.close();
  });

  test("a deleted server gets no more connections, an added one does", async () => {
    await balance(`
      -A -t 192.0.2.100:83 -s rr
      -a -t 192.0.2.100:83 -r 198.51.100.11:8080 -m`);
    const url = "http://192.0.2.100:83/";
    assert.deepEqual(spread(await site.client.get(url, { count: 2 })), {
      real1: 2,
    });
    await ipvsadm("-a -t 192.0.2.100:83 -r 198.51.100.12:8080 -m");
    await ipvsadm("-d -t 192.0.2.100:83 -r 198.51.100.11:8080");
    assert.deepEqual(spread(await site.client.get(url, { count: 2 })), {
      real2: 2,
    });
    await ipvsadm("-D -t 192.0.2.100:83");
    assert.deepEqual(await site.client.get(url), [{ failure: "ECONNREFUSED" }]);
  });

  test("IPv6 connections are masqueraded", async () => {
    await balance(`
      -A -t [2001:db8:1::100]:80 -s wrr
      -a -t [2001:db8:1::100]:80 -r [2001:db8:2::11]:8080 -m -w 1
      -a -t [2001:db8:1::100]:80 -r [2001:db8:2::12]:8081 -m -w 2`);
    const replies = await site.client.get("http://[2001:db8:1::100]/", {
      count: 12,
    });
    assert.deepEqual(spread(replies), { real1: 4, real2: 8 });
    assert.deepEqual(arrivals(replies), [
      "2001:db8:1::10 -> [2001:db8:2::11]:8080 real1",
      "2001:db8:1::10 -> [2001:db8:2::12]:8081 real2",
    ]);
    const counters = await countersAt("[2001:db8:1::100]:80", 12);
    const { connections, outBytes } = counters("[2001:db8:1::100]:80");
    assert.equal(connections, 12);
    assert.ok(outBytes > 11 * 4000, `${outBytes} bytes out`);
  });

  test("datagrams of one socket go to the same server, and replies come from the virtual address", async () => {
    await balance(`
      -A -u 192.0.2.100:53 -s rr
      -a -u 192.0.2.100:53 -r 198.51.100.11:5353 -m
      -a -u 192.0.2.100:53 -r 198.51.100.12:5353 -m`);
    const sockets = [];
    for (let i = 0; i < 4; i++)
      sockets.push(
        await site.client.sendDatagrams("192.0.2.100:53", { count: 3 }),
      );
    const replies = sockets.flat();
    assert.deepEqual(arrivals(replies), [
      "192.0.2.10 -> 198.51.100.11:5353 real1",
      "192.0.2.10 -> 198.51.100.12:5353 real2",
    ]);
    for (const reply of replies)
      assert.equal("source" in reply && reply.source, "192.0.2.100:53");
    const homes = sockets.map((socket) => new Set(answeredBy(socket)));
    for (const turn of turns(homes, 2))
      assert.deepEqual(turn.flatMap((home) => [...home]).sort(), [
        "real1",
        "real2",
      ]);
  });
});
