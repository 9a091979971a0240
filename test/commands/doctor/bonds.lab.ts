import assert from "node:assert/strict";
import { suite } from "node:test";
import { eventually } from "../../lab/eventually.js";
import { DIRECTOR } from "../../lab/network.js";
import { BEHIND_DIRECTOR } from "../../traffic/places.js";
import { siteOf } from "../../traffic/site.js";
import { answered, proves } from "./case.js";

const URL = "http://192.0.2.100/";
const RULES = `
  -A -t 192.0.2.100:80 -s rr
  -a -t 192.0.2.100:80 -r 10.9.0.11:8080 -m`;

suite("doctor finds faults of a bond on the way to real servers", () => {
  const site = siteOf(BEHIND_DIRECTOR, { real1: { http: [8080] } });
  const director = (command: string) => void site.network.sh(DIRECTOR, command);

  /** Two cables from a bond of the director to a switch, which has the address of the real server. */
  function cable(): void {
    director(`
      modprobe bonding max_bonds=0 || true
      ip link add both type bond mode active-backup miimon 100
      for one in 1 2; do
        ip link add port$one type veth peer name far$one netns real1
        ip link set port$one master both
      done
      ip link set both up
      ip address add 10.9.0.1/24 dev both`);
    site.network.sh(
      "real1",
      `ip link add far type bridge
      for one in 1 2; do ip link set far$one master far up; done
      ip link set far up
      ip address add 10.9.0.11/24 dev far
      ip route add 192.0.2.0/24 via 10.9.0.1`,
    );
    director("ip link set both type bond active_slave port1");
  }

  /** Ends of the cables go with them. */
  function removeCables(): void {
    director("for one in both port1 port2; do ip link del $one || true; done");
    site.network.sh("real1", "ip link del far");
  }

  proves(site, {
    id: "bond-unwatched",
    subject: "both",
    rules: RULES,
    url: URL,
    prepare: cable,
    fault() {
      director("ip link set both type bond miimon 0");
    },
    // Both cables still work.
    fails: () => answered(site, URL),
    lastly: removeCables,
  });

  proves(site, {
    id: "interface-silent",
    subject: "both",
    seen: /^the bond both sends by port1, which has no carrier, although port2 has one: /,
    rules: RULES,
    url: URL,
    prepare: cable,
    fault() {
      director("ip link set both type bond miimon 0");
      site.network.sh("real1", "ip link set far1 down");
    },
    async afterFix() {
      const link = await eventually(
        () =>
          Promise.resolve(
            site.network.sh(DIRECTOR, "ip -details link show both"),
          ),
        (text) => text.includes("active_slave port2"),
      );
      assert.match(link, /active_slave port2/);
    },
    traffic() {
      // Doctor asks anew.
      director("ip neigh flush dev both");
      return Promise.resolve();
    },
    lastly: removeCables,
  });
});
