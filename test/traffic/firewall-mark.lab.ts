import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { DIRECTOR } from "../lab/network.js";
import { balance, ipvsadm } from "./ipvsadm.js";
import { without } from "./needs.js";
import { BEHIND_DIRECTOR, otherClients } from "./places.js";
import { siteOf } from "./site.js";
import { answeredBy, arrivals } from "./spread.js";

const RULES = [80, 443].map(
  (port) =>
    `PREROUTING -d 192.0.2.100 -p tcp --dport ${port} -j MARK --set-mark 7`,
);

suite("firewall marks", () => {
  const site = siteOf(BEHIND_DIRECTOR, {
    real1: { http: [80, 443, 8080] },
    real2: { http: [80, 443, 8080] },
  });
  const skip = without("iptables-legacy", "iptables");
  before(() => {
    if (!skip) change("-A");
  });
  after(() => {
    if (!skip) change("-D");
  });

  function change(command: string): void {
    for (const rule of RULES)
      site.network.sh(DIRECTOR, `iptables-legacy -t mangle ${command} ${rule}`);
  }

  /** Makes two requests to each of the two ports. */
  async function visit(from: string): Promise<string[]> {
    const manner = { from, count: 2 };
    return answeredBy([
      ...(await site.client.get("http://192.0.2.100:80/", manner)),
      ...(await site.client.get("http://192.0.2.100:443/", manner)),
    ]);
  }

  test(
    "two ports form one service, and persistence keeps a client on its server",
    { skip },
    async () => {
      await balance(`
      -A -f 7 -s rr -p 900
      -a -f 7 -r 198.51.100.11:0 -m
      -a -f 7 -r 198.51.100.12:0 -m`);
      const homes = [];
      for (const from of otherClients(4)) {
        const names = new Set(await visit(from));
        assert.equal(names.size, 1, `${from}: ${[...names].join(", ")}`);
        homes.push(...names);
      }
      // Clients are assigned to servers in turn.
      assert.deepEqual(homes.slice(0, 2).sort(), ["real1", "real2"]);
      assert.deepEqual(homes.slice(2).sort(), ["real1", "real2"]);
      assert.match(await ipvsadm("-Ln"), /^FWM {2}7 rr persistent 900$/m);
    },
  );

  test(
    "without persistence each connection is scheduled separately",
    { skip },
    async () => {
      await balance(`
      -A -f 7 -s rr
      -a -f 7 -r 198.51.100.11:0 -m
      -a -f 7 -r 198.51.100.12:0 -m`);
      const names = await visit("192.0.2.10");
      assert.deepEqual(names.sort(), ["real1", "real1", "real2", "real2"]);
    },
  );

  test(
    "connections keep their port if the server has port 0, otherwise they get the server's",
    { skip },
    async () => {
      await balance(`
      -A -f 7 -s rr
      -a -f 7 -r 198.51.100.11:0 -m
      -a -f 7 -r 198.51.100.12:8080 -m`);
      const replies = await site.client.get("http://192.0.2.100:443/", {
        count: 2,
      });
      assert.deepEqual(arrivals(replies), [
        "192.0.2.10 -> 198.51.100.11:443 real1",
        "192.0.2.10 -> 198.51.100.12:8080 real2",
      ]);
    },
  );
});
