import assert from "node:assert/strict";
import { suite } from "node:test";
import { isAnswer } from "../../lab/http.js";
import { DIRECTOR } from "../../lab/network.js";
import { without } from "../../traffic/needs.js";
import { BEHIND_DIRECTOR } from "../../traffic/places.js";
import { siteOf } from "../../traffic/site.js";
import { proves } from "./case.js";

const URL = "http://192.0.2.100/";
const SERVICE = "-t 192.0.2.100:80";
const RULES = `
  -A ${SERVICE} -s rr
  -a ${SERVICE} -r 198.51.100.11:8080 -m
  -a ${SERVICE} -r 198.51.100.12:8080 -m`;
const COUNT = "cat /proc/sys/net/netfilter/nf_conntrack_count";

/** The limit is the whole machine's. */
const skip =
  process.env["LAB_KERNEL"] === "uml"
    ? without("iptables-legacy", "iptables")
    : "only in a guest of our own the limit may change";

suite("doctor finds that connection tracking is at its limit", () => {
  const site = siteOf(BEHIND_DIRECTOR, {
    real1: { http: [8080] },
    real2: { http: [8080] },
  });
  const director = (command: string) => site.network.sh(DIRECTOR, command);

  for (const { id, part } of [
    { id: "connections-at-limit", part: 1 },
    { id: "connections-near-limit", part: 0.95 },
  ] as const)
    proves(site, {
      id,
      subject: "net.netfilter.nf_conntrack_max",
      skip,
      rules: RULES,
      url: URL,
      async prepare() {
        director("sysctl -w net.ipv4.vs.conntrack=1");
        director("iptables-legacy -A INPUT -m conntrack --ctstate INVALID");
        await site.client.get(URL, { count: 20 });
      },
      fault() {
        const count = Number(director(COUNT));
        const most = Math.ceil(count / part);
        director(`sysctl -w net.netfilter.nf_conntrack_max=${most}`);
      },
      async fails() {
        if (id === "connections-near-limit") return;
        const replies = await site.client.get(URL, { patienceSeconds: 1 });
        assert.ok(!replies.some(isAnswer), JSON.stringify(replies));
      },
      lastly() {
        director("sysctl -w net.ipv4.vs.conntrack=0");
        director("sysctl -w net.netfilter.nf_conntrack_max=65536");
        director("iptables-legacy -F INPUT");
      },
    });
});
