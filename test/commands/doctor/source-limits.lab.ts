import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DIRECTOR } from "../../lab/network.js";
import { ours } from "../../lab/program.js";
import { balance } from "../../traffic/ipvsadm.js";
import { without } from "../../traffic/needs.js";
import { BEHIND_DIRECTOR } from "../../traffic/places.js";
import { siteOf } from "../../traffic/site.js";
import {
  answered,
  proves,
  unanswered,
  unansweredForLong,
  type Found,
} from "./case.js";
import { startResident } from "./resident.js";

const URL = "http://192.0.2.100/";
const RULES = `
  -A -t 192.0.2.100:80 -s rr
  -a -t 192.0.2.100:80 -r 198.51.100.11:8080 -m`;
/** Two new connections of a source in a minute are too many. */
const RECENT =
  "iptables-legacy -A INPUT -p tcp --dport 8080 --syn -m recent --set --name WEB; iptables-legacy -A INPUT -p tcp --dport 8080 --syn -m recent --update --seconds 60 --hitcount 2 --name WEB -j DROP";
const hashlimit = (port: number) =>
  `INPUT -p tcp --dport ${port} --syn -m hashlimit --hashlimit-above 1/minute --hashlimit-burst 1 --hashlimit-mode srcip --hashlimit-name web -j DROP`;

suite("doctor finds limits for each source address that drop requests", () => {
  const site = siteOf(BEHIND_DIRECTOR, { real1: { http: [8080] } });
  const director = (command: string) => site.network.sh(DIRECTOR, command);
  const real1 = (command: string) => site.network.sh("real1", command);
  const skip = without("iptables-legacy", "iptables");
  const traffic = async (goesOn: () => boolean) => {
    while (goesOn()) await site.client.get(URL, { patienceSeconds: 1 });
  };

  proves(site, {
    id: "nat-unanswered",
    name: "a limit for each source, and SNAT on the director",
    skip,
    rules: RULES,
    url: URL,
    prepare() {
      director(
        "sysctl -w net.ipv4.vs.conntrack=1; iptables-legacy -t nat -A POSTROUTING -o back -m ipvs --vaddr 192.0.2.100 --vport 80 -j SNAT --to-source 198.51.100.1",
      );
    },
    fault: () => void real1(RECENT),
    async fails() {
      // The first one is within the limit.
      await site.client.get(URL, { patienceSeconds: 1 });
      await unansweredForLong(site, URL);
    },
    machines: { "real server 198.51.100.11": "real1" },
    there: "source-limit-shared",
    lastly() {
      real1("iptables-legacy -F INPUT");
      director(
        "iptables-legacy -t nat -F POSTROUTING; sysctl -w net.ipv4.vs.conntrack=0",
      );
    },
  });

  proves(site, {
    id: "source-limited",
    skip,
    seen: /^rule 1 of chain INPUT .*, drops requests of a source with more packets than 1\/min: \d+ more in \d+ s while doctor looked$/,
    rules: RULES,
    url: URL,
    fault: () => void director(`iptables-legacy -A ${hashlimit(80)}`),
    // The first one is within the limit.
    fails: () => unanswered(site, URL),
    traffic,
    repair: () =>
      void director("iptables-legacy -I INPUT -s 192.0.2.10 -j ACCEPT"),
    lastly: () => void director("iptables-legacy -F INPUT"),
  });

  test(
    "doctor reports no limit that has dropped packets before, and drops none now",
    { skip },
    async () => {
      await balance(RULES);
      director(`iptables-legacy -A ${hashlimit(80)}`);
      try {
        await unanswered(site, URL);
        const { stdout, stderr, status } = await ours(["doctor"]);
        assert.equal(stderr, "");
        assert.match(
          stdout.replaceAll(/\s+/g, " "),
          /perhaps drops requests .* No fault found, \d+ kinds of fault checked; 1 firewall rule could not be judged: see Not checked\. $/,
        );
        assert.equal(status, 0, stdout);
      } finally {
        director("iptables-legacy -F INPUT");
      }
    },
  );

  test(
    "doctor --real-server reports a rule that perhaps drops requests only while it drops packets",
    { skip },
    async () => {
      const words =
        "doctor --real-server tcp/192.0.2.100:80 --method masq --server 198.51.100.11:8080 --director 198.51.100.1 -o json --client";
      const resident = startResident("real1");
      const examine = async (client = "192.0.2.10") => {
        const line = [...words.split(" "), client];
        const { stdout, stderr, status } = await resident.run(line);
        assert.equal(stderr, "");
        const { findings, notChecked } = JSON.parse(stdout) as {
          findings: readonly Found[];
          notChecked: readonly string[];
        };
        return { findings, notChecked, status };
      };
      await balance(RULES);
      try {
        await answered(site, URL);
        real1(`iptables-legacy -A ${hashlimit(8080)}`);
        await unanswered(site, URL);
        let looks = true as boolean;
        const during = traffic(() => looks);
        const found = await examine().finally(() => (looks = false));
        await during;
        assert.deepEqual(
          found.findings.map(({ id, severity }) => `${severity} ${id}`),
          ["warning server-firewall-doubtful"],
        );
        assert.match(
          found.findings[0]?.evidence.join("\n") ?? "",
          /^it has stopped \d+ more packets? in \d+ s while doctor looked\nit limits each source address \(more packets than 1\/min\)/,
        );
        assert.equal(found.status, 0);
        // Clients that gave up repeat no packet.
        const before = await examine();
        assert.deepEqual(before.findings, []);
        assert.match(before.notChecked.join("\n"), /perhaps drops requests to/);
        // If the director is the only client, the same rule is a fault.
        const shared = await examine("198.51.100.1");
        assert.deepEqual(
          shared.findings.map(({ id, severity }) => `${severity} ${id}`),
          ["error source-limit-shared"],
        );
      } finally {
        real1("iptables-legacy -F INPUT");
        await resident.stop();
      }
    },
  );
});
