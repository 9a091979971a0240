import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { rowsOf } from "../lab/listings.js";
import { eventually } from "../lab/eventually.js";
import type { HeldConnection } from "./caller.js";
import { balance, ipvsadm } from "./ipvsadm.js";
import { ONE_NETWORK } from "./places.js";
import { siteOf } from "./site.js";
import { answeredBy, spread } from "./spread.js";

// Each test has its own port, because connections of earlier tests would count.
const PORTS = [8001, 8002, 8003];

suite("thresholds and weight 0", () => {
  const site = siteOf(ONE_NETWORK, {
    real1: { http: PORTS },
    real2: { http: PORTS },
  });
  // A connection counts until its entry expires. This makes it expire soon after its end.
  before(() => ipvsadm("--set 0 1 0"));
  after(() => ipvsadm("--set 0 120 0"));

  async function hold(url: string, count: number): Promise<HeldConnection[]> {
    const connections = [];
    for (let i = 0; i < count; i++)
      connections.push(await site.client.hold(url));
    return connections;
  }

  /** The number of active and inactive connections that the listing shows for a real server. */
  async function connections(server: string): Promise<number> {
    const rows = rowsOf(await ipvsadm("-Ln"));
    const [, , active, inactive] = rows.get(server) ?? [];
    return Number(active) + Number(inactive);
  }

  /** Closes connections and waits until a real server has only this number left. */
  async function close(
    held: readonly HeldConnection[],
    server: string,
    left: number,
  ): Promise<void> {
    for (const connection of held) await connection.close();
    const count = await eventually(
      () => connections(server),
      (n) => n === left,
    );
    assert.equal(count, left);
  }

  test("a server at its upper threshold gets no connections until it is below the lower threshold", async () => {
    await balance(`
      -A -t 203.0.113.100:8001 -s rr
      -a -t 203.0.113.100:8001 -r 203.0.113.11 -g -x 3 -y 2
      -a -t 203.0.113.100:8001 -r 203.0.113.12 -g`);
    const real1 = "203.0.113.100:8001 203.0.113.11:8001";
    const url = "http://203.0.113.100:8001/";
    const held = await hold(url, 10);
    assert.deepEqual(spread(held), { real1: 3, real2: 7 });
    assert.match(
      await ipvsadm("-Ln --thresholds"),
      /^ {2}-> 203\.0\.113\.11:8001 +3 +2 +3 +0 *$/m,
    );
    const [first, second, third] = held.filter((one) => one.server === "real1");
    assert.ok(first && second && third);
    // Below the upper threshold is not enough.
    await close([first], real1, 2);
    assert.deepEqual(spread(await site.client.get(url, { count: 4 })), {
      real2: 4,
    });
    await close([second], real1, 1);
    const again = await hold(url, 4);
    assert.ok(answeredBy(again).includes("real1"), answeredBy(again).join());
    assert.ok(!("failure" in (await third.ask())));
    for (const one of [third, ...held, ...again]) await one.close();
  });

  test("a connection is refused if all servers are at their upper threshold", async () => {
    await balance(`
      -A -t 203.0.113.100:8002 -s rr
      -a -t 203.0.113.100:8002 -r 203.0.113.11 -g -x 1
      -a -t 203.0.113.100:8002 -r 203.0.113.12 -g -x 1`);
    const url = "http://203.0.113.100:8002/";
    const held = await hold(url, 2);
    assert.deepEqual(spread(held), { real1: 1, real2: 1 });
    assert.deepEqual(await site.client.get(url), [{ failure: "ECONNREFUSED" }]);
    for (const one of held) await one.close();
  });

  test("a server with weight 0 keeps its connections and gets no new ones", async () => {
    await balance(`
      -A -t 203.0.113.100:8003 -s rr
      -a -t 203.0.113.100:8003 -r 203.0.113.11 -g
      -a -t 203.0.113.100:8003 -r 203.0.113.12 -g`);
    const url = "http://203.0.113.100:8003/";
    const held = await hold(url, 2);
    assert.deepEqual(spread(held), { real1: 1, real2: 1 });
    await ipvsadm("-e -t 203.0.113.100:8003 -r 203.0.113.11 -g -w 0");
    assert.deepEqual(spread(await site.client.get(url, { count: 5 })), {
      real2: 5,
    });
    for (const one of held)
      assert.deepEqual(answeredBy([await one.ask()]), [one.server]);
    await ipvsadm("-e -t 203.0.113.100:8003 -r 203.0.113.11 -g -w 1");
    assert.deepEqual(spread(await site.client.get(url, { count: 4 })), {
      real1: 2,
      real2: 2,
    });
    for (const one of held) await one.close();
  });
});
