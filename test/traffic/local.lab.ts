import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { IpvsClient } from "../../src/ipvs/client.js";
import { DIRECT_ROUTING, LOCAL_NODE } from "../../src/ipvs/model.js";
import { exchangeOver } from "../../src/netlink/exchange.js";
import { openNodeLink } from "../../src/netlink/node-link.js";
import { DIRECTOR } from "../lab/network.js";
import { balance, ipvsadm } from "./ipvsadm.js";
import { BEHIND_DIRECTOR } from "./places.js";
import { siteOf } from "./site.js";
import { arrivals, spread } from "./spread.js";

const RULES = `
  -A -t 192.0.2.100:80 -s rr
  -a -t 192.0.2.100:80 -r 192.0.2.1 -g
  -a -t 192.0.2.100:80 -r 198.51.100.11 -m`;

suite("a real server on the director itself", () => {
  const site = siteOf(BEHIND_DIRECTOR, {
    [DIRECTOR]: { http: [80, 8080] },
    real1: { http: [80] },
  });

  async function eachGetsItsShare(): Promise<void> {
    const replies = await site.client.get("http://192.0.2.100/", { count: 6 });
    assert.deepEqual(spread(replies), { director: 3, real1: 3 });
    assert.deepEqual(arrivals(replies), [
      "192.0.2.10 -> 192.0.2.100:80 director",
      "192.0.2.10 -> 198.51.100.11:80 real1",
    ]);
  }

  test("direct routing to the director works", async () => {
    await balance(RULES);
    await eachGetsItsShare();
  });

  test("the forwarding method Local, which other programs can set, works", async () => {
    await balance(RULES);
    await makeLocal();
    assert.match(await ipvsadm("-Ln"), /^ {2}-> 192\.0\.2\.1:80 +Local /m);
    await eachGetsItsShare();
  });

  test("masquerading to another port of the director works", async () => {
    await balance(`
      -A -t 192.0.2.100:84 -s rr
      -a -t 192.0.2.100:84 -r 192.0.2.1:8080 -m`);
    const replies = await site.client.get("http://192.0.2.100:84/");
    assert.deepEqual(arrivals(replies), [
      "192.0.2.10 -> 192.0.2.1:8080 director",
    ]);
  });
});

/** Sets the forwarding method of the director's server to one that no option has. */
async function makeLocal(): Promise<void> {
  const link = openNodeLink();
  try {
    const client = await IpvsClient.open(exchangeOver(link));
    const [service] = await client.services();
    assert.ok(service);
    const servers = await client.servers(service.key);
    const local = servers.find(
      ({ settings }) => settings.forwarding === DIRECT_ROUTING,
    );
    assert.ok(local);
    await client.editServer(service.key, local.key, {
      ...local.settings,
      forwarding: LOCAL_NODE,
    });
  } finally {
    link.close();
  }
}
