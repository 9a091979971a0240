import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { isAnswer, type Reply } from "../../lab/http.js";
import { DIRECTOR } from "../../lab/network.js";
import { ours } from "../../lab/program.js";
import { balance } from "../../traffic/ipvsadm.js";
import { without } from "../../traffic/needs.js";
import { BEHIND_DIRECTOR } from "../../traffic/places.js";
import { siteOf } from "../../traffic/site.js";
import { proves, silent, type Case } from "./case.js";

/** What is seen of packets is more than what entries tell. */
const SEEN_AT = without("tcpdump", "tcpdump") === false ? "packets" : "entries";
const FAR = "203.0.113.10";
const URL = "http://192.0.2.100/";
const RULES = `
  -A -t 192.0.2.100:80 -s rr
  -a -t 192.0.2.100:80 -r 198.51.100.11:8080 -m`;
const FAR6 = "2001:db8:77::10";
const URL6 = "http://[2001:db8:1::100]/";
const RULES6 = `
  -A -t [2001:db8:1::100]:80 -s rr
  -a -t [2001:db8:1::100]:80 -r [2001:db8:2::11]:8080 -m`;

suite("doctor finds where answers leave by the wrong way", () => {
  const site = siteOf(BEHIND_DIRECTOR, { real1: { http: [8080] } });
  const director = (command: string) => site.network.sh(DIRECTOR, command);

  const ask = (url: string, from: string, patienceSeconds: number) =>
    site.client.get(url, { from, patienceSeconds });
  /** A client behind the router by which the main table reaches everything, and how requests of it end */
  const farClient = (url: string, from: string) =>
    ({
      async works() {
        const replies = await ask(url, from, 15);
        assert.ok(replies.every(isAnswer), JSON.stringify(replies));
      },
      async fails() {
        const replies: Reply[] = [];
        for (let i = 0; i < 4; i++) replies.push(...(await ask(url, from, 1)));
        assert.ok(!replies.some(isAnswer), JSON.stringify(replies));
      },
      async traffic(goesOn) {
        while (goesOn()) await ask(url, from, 1);
      },
    }) satisfies Partial<Case>;

  const prepare = () => {
    site.network.sh("client", `ip address add ${FAR}/32 dev lo`);
    director(
      "ip route add default via 192.0.2.10; ip link add vpn0 type dummy; ip link set vpn0 up; ip address add 10.99.0.1/24 dev vpn0; ip route add default dev vpn0 table 51820",
    );
  };
  const lastly = () => {
    site.network.sh("client", `ip address del ${FAR}/32 dev lo`);
    director(
      "ip rule flush; ip rule add lookup main priority 32766; ip rule add lookup default priority 32767; ip route del default; ip link del vpn0; sysctl -w net.ipv4.vs.snat_reroute=1",
    );
  };
  /** As wg-quick does it for AllowedIPs 0.0.0.0/0 */
  const startVpn = () =>
    void director(
      "ip rule add not fwmark 0xca6c lookup 51820; ip rule add lookup main suppress_prefixlength 0",
    );

  proves(site, {
    id: "answers-elsewhere",
    subject: "routing rule 32765",
    seen: /^"not from all fwmark 0xca6c lookup 51820" takes all packets except those with the mark 0xca6c, so answers to 203\.0\.113\.10 from 192\.0\.2\.100 leave by vpn0, directly$/,
    evidence:
      /^the main table leads there by front, through 192\.0\.2\.10, and 192\.0\.2\.100 is in the network of front: requests seem to come in there\n\d+ connections to 198\.51\.100\.11:8080 wait in SYN_RECV; \d+ packets? of 198\.51\.100\.11:8080 came back in \d+ s while doctor looked, \d+ bytes each on average: answers$/,
    rules: RULES,
    ...farClient(URL, FAR),
    prepare,
    fault: startVpn,
    lastly,
  });

  proves(site, {
    id: "answers-elsewhere",
    name: "IPVS does not look for the route again",
    subject: "routing rule 100",
    seen: /^"from 198\.51\.100\.0\/24 iif back lookup 51820" takes packets from 198\.51\.100\.0\/24 that come in by back, so answers to /,
    rules: RULES,
    ...farClient(URL, FAR),
    prepare,
    fault: () =>
      void director(
        "sysctl -w net.ipv4.vs.snat_reroute=0; ip rule add from 198.51.100.0/24 iif back lookup 51820 priority 100",
      ),
    lastly,
  });

  proves(site, {
    id: "answers-elsewhere",
    name: "IPv6",
    subject: "IPv6 routing rule 32765",
    rules: RULES6,
    ...farClient(URL6, FAR6),
    prepare() {
      site.network.sh("client", `ip address add ${FAR6}/128 dev lo`);
      site.network.sh("real1", "ip -6 route add default via 2001:db8:2::1");
      director(
        "ip -6 route add default via 2001:db8:1::10; ip link add vpn0 type dummy; ip link set vpn0 up; ip -6 route add default dev vpn0 table 51820",
      );
    },
    fault: () =>
      void director(
        "ip -6 rule add not fwmark 0xca6c lookup 51820; ip -6 rule add lookup main suppress_prefixlength 0",
      ),
    lastly() {
      director(
        "ip -6 rule flush; ip -6 rule add lookup main priority 32766; ip -6 route del default; ip link del vpn0",
      );
      site.network.sh("real1", "ip -6 route del default");
      site.network.sh("client", `ip address del ${FAR6}/128 dev lo`);
    },
  });

  proves(site, {
    id: "answers-unconfirmed",
    subject: "198.51.100.11:8080 of tcp/192.0.2.100:80",
    evidence:
      /^\d+ packets? of 198\.51\.100\.11:8080 came back in \d+ s while doctor looked, \d+ bytes each on average: answers\nanswers to 203\.0\.113\.10 leave by vpn0, directly: if requests come in by another interface, this route is perhaps the cause$/m,
    rules: RULES,
    ...farClient(URL, FAR),
    prepare,
    fault: () => void director("ip route add 203.0.113.0/24 dev vpn0"),
    repair: () => void director("ip route del 203.0.113.0/24 dev vpn0"),
    lastly,
  });

  test("doctor finds nothing where a routing rule leads answers into the network of their virtual address", async () => {
    await balance(RULES);
    const client = farClient(URL, FAR);
    prepare();
    try {
      // The main table leads clients to another provider.
      director(
        "ip route replace default dev vpn0; ip route add default via 192.0.2.10 table 100; ip rule add from 192.0.2.100 lookup 100 priority 100",
      );
      await client.works();
      await silent();
    } finally {
      lastly();
    }
  });

  test("doctor --client names the routing rule that leads answers away, and no old connection after the repair", async () => {
    /** Follows the far client, which makes requests meanwhile. */
    const follow = async (patienceSeconds: number) => {
      const replies: Reply[] = [];
      let follows = true as boolean;
      const line = ["doctor", "--client", FAR, "--for", "6s", "-o", "json"];
      const doctor = ours(line).finally(() => (follows = false));
      while (follows) replies.push(...(await ask(URL, FAR, patienceSeconds)));
      const { stdout, stderr, status } = await doctor;
      assert.equal(stderr, "");
      const trace = JSON.parse(stdout) as {
        stopsAt: { step: string; text: string } | null;
        steps: readonly { step: string; state: string; text: string }[];
        next: readonly { command: string }[];
      };
      return { ...trace, replies, status, stdout };
    };
    await balance(RULES);
    prepare();
    try {
      startVpn();
      const stopped = await follow(2);
      assert.ok(!stopped.replies.some(isAnswer));
      const step = stopped.steps.find((one) => one.step === "route");
      assert.equal(step?.state, "unknown", stopped.stdout);
      assert.match(
        step.text,
        /leave by vpn0, .* because of routing rule 32765/,
      );
      assert.equal(stopped.stopsAt?.step, SEEN_AT, stopped.stdout);
      assert.match(
        stopped.stopsAt.text,
        SEEN_AT === "packets"
          ? /answers leave by vpn0, and the client asks again: they are lost from there on/
          : /SYN_RECV; the server answered meanwhile .* because of routing rule 32765/,
      );
      assert.deepEqual(
        stopped.next.map(({ command }) => command),
        [`ip route get ${FAR} from 192.0.2.100`],
      );
      director("ip rule add from 192.0.2.100 lookup main priority 90");
      const passing = await follow(15);
      assert.ok(passing.replies.every(isAnswer));
      assert.equal(passing.stopsAt, null, passing.stdout);
      assert.deepEqual(
        passing.steps.filter(({ state }) => state !== "ok"),
        [],
        passing.stdout,
      );
    } finally {
      lastly();
    }
  });
});
