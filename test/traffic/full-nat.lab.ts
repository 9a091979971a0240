import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DIRECTOR } from "../lab/network.js";
import { balance } from "./ipvsadm.js";
import { without } from "./needs.js";
import { BESIDE_CLIENT } from "./places.js";
import { siteOf } from "./site.js";
import { arrivals } from "./spread.js";

const RULE =
  "POSTROUTING -m ipvs --vaddr 203.0.113.101/32 --vport 80 -j MASQUERADE";
const CONNTRACK = "/proc/sys/net/ipv4/vs/conntrack";

suite("full NAT: masquerading with source NAT", () => {
  const site = siteOf(BESIDE_CLIENT, { real1: { http: [8080] } });
  const skip = without("iptables-legacy", "iptables");

  test(
    "a real server in the client's network replies through the director",
    { skip },
    async () => {
      await balance(`
      -A -t 203.0.113.101:80 -s rr
      -a -t 203.0.113.101:80 -r 203.0.113.11:8080 -m`);
      const url = "http://203.0.113.101/";
      const director = (command: string) => site.network.sh(DIRECTOR, command);
      // The real server replies directly to the client, which does not know this connection.
      const [reply] = await site.client.get(url, { patienceSeconds: 1 });
      assert.deepEqual(reply, { failure: "no answer in 1 s" });
      director(`echo 1 >${CONNTRACK}; iptables-legacy -t nat -A ${RULE}`);
      try {
        const replies = await site.client.get(url, { count: 3 });
        assert.deepEqual(arrivals(replies), [
          "203.0.113.1 -> 203.0.113.11:8080 real1",
        ]);
      } finally {
        director(`echo 0 >${CONNTRACK}; iptables-legacy -t nat -D ${RULE}`);
      }
    },
  );
});
