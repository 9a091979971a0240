import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { isAnswer, type Reply } from "../../lab/http.js";
import { DIRECTOR } from "../../lab/network.js";
import { ours } from "../../lab/program.js";
import { balance } from "../../traffic/ipvsadm.js";
import { without } from "../../traffic/needs.js";
import { BEHIND_DIRECTOR, otherClients } from "../../traffic/places.js";
import { siteOf } from "../../traffic/site.js";
import { examined } from "./case.js";

const URL = "http://192.0.2.100/";
const RULES = `
  -A -t 192.0.2.100:80 -s rr
  -a -t 192.0.2.100:80 -r 198.51.100.11:8080 -m`;
const skip = without("iptables-legacy", "iptables");
/** What is seen of packets is more than what entries tell. */
const SEEN_AT = without("tcpdump", "tcpdump") === false ? "packets" : "entries";

// Addresses of the client that have no older connections: those of earlier tests are still in the table.
const [
  PASSING = "",
  BLOCKED = "",
  UNANSWERED = "",
  MARKED = "",
  REFUSED = "",
  SERVED = "",
  REGULAR = "",
  UNSERVED = "",
  ROUTED = "",
] = otherClients(43).slice(34);

suite("doctor --client follows a client", () => {
  const site = siteOf(BEHIND_DIRECTOR, {
    real1: { http: [8080, 21, 10021], datagrams: ["198.51.100.11:53"] },
  });

  /** Follows the client, which makes requests until doctor has ended. */
  async function follow(client: string) {
    const replies: Reply[] = [];
    const trace = await followAmid(client, async () => {
      const manner = { from: client, patienceSeconds: 2 };
      replies.push(...(await site.client.get(URL, manner)));
    });
    return { ...trace, replies };
  }

  /** Follows the client, which does something again and again until doctor has ended. */
  async function followAmid(
    client: string,
    act: () => Promise<void>,
    seconds = 6,
  ) {
    const words = `doctor --client ${client} --for ${seconds}s -o json`;
    const line = words.split(" ");
    let follows = true as boolean;
    const doctor = ours(line).finally(() => (follows = false));
    while (follows) await act();
    const { stdout, stderr, status } = await doctor;
    assert.equal(stderr, "");
    const { stopsAt, steps } = JSON.parse(stdout) as {
      stopsAt: { step: string; text: string } | null;
      steps: readonly { step: string; state: string; text: string }[];
    };
    return { stopsAt, steps, status, stdout };
  }

  test("doctor --client shows connections that pass", async () => {
    await balance(RULES);
    const { stopsAt, steps, status, stdout } = await follow(PASSING);
    assert.equal(stopsAt, null, stdout);
    assert.equal(status, 0);
    const entries = steps.find(({ step }) => step === "entries");
    assert.match(
      entries?.text ?? "",
      /^TCP 192\.0\.2\.100:80 to 198\.51\.100\.11:8080 \(service tcp\/192\.0\.2\.100:80\): /,
    );
    assert.match(
      steps.at(-1)?.text ?? "",
      /^198\.51\.100\.11:8080 of tcp\/192\.0\.2\.100:80, all clients: [1-9]\d* packets in, [1-9]\d* out$/,
    );
  });

  test(
    "doctor --client names the firewall rule that stops the client",
    { skip },
    async () => {
      await balance(RULES);
      const rule = `INPUT -s ${BLOCKED} -p tcp --dport 80 -j DROP`;
      site.network.sh(DIRECTOR, `iptables-legacy -A ${rule}`);
      try {
        const { stopsAt, status } = await follow(BLOCKED);
        assert.equal(stopsAt?.step, "firewall");
        assert.match(
          stopsAt.text,
          /^rule 1 of chain INPUT .*, drops requests to/,
        );
        assert.equal(status, 1);
        const other = await ours(
          "doctor --client 192.0.2.200 --for 1s".split(" "),
        );
        assert.match(other.stdout, /no rule on the director stops its packets/);
        assert.match(other.stdout, /no connection of this client in 1 s/);
        assert.equal(other.status, 0);
      } finally {
        site.network.sh(DIRECTOR, `iptables-legacy -D ${rule}`);
      }
    },
  );

  test(
    "doctor --client sees that a server gives no answer",
    { skip },
    async () => {
      await balance(RULES);
      site.network.sh(
        "real1",
        "iptables-legacy -A INPUT -p tcp --dport 8080 -j DROP",
      );
      try {
        const { stopsAt, status, stdout, replies } = await follow(UNANSWERED);
        assert.ok(!replies.some(isAnswer), JSON.stringify(replies));
        assert.equal(stopsAt?.step, SEEN_AT, stdout);
        assert.match(
          stopsAt.text,
          SEEN_AT === "packets"
            ? / left by back to 198\.51\.100\.11:8080; no answer came from there; they stop there, or on the way there or back$/
            : /SYN_RECV; the director sent the requests to the server and saw no answer(?: \(from before: .*\))?$/,
        );
        assert.equal(status, 1);
      } finally {
        site.network.sh("real1", "iptables-legacy -F INPUT");
      }
    },
  );

  test(
    "doctor --client judges new connections apart from those that worked before",
    { skip },
    async () => {
      await balance(RULES);
      const session = await site.client.hold(URL, { from: REGULAR });
      const manner = { from: REGULAR, patienceSeconds: 2 };
      const before = await site.client.get(URL, { ...manner, count: 3 });
      assert.ok(before.every(isAnswer), JSON.stringify(before));
      const replies: Reply[] = [];
      const visit = async () => {
        await session.ask();
        replies.push(...(await site.client.get(URL, manner)));
      };
      // Only new connections are dropped.
      site.network.sh(
        "real1",
        "iptables-legacy -A INPUT -p tcp --dport 8080 --syn -j DROP",
      );
      try {
        const { stopsAt, status, stdout } = await followAmid(REGULAR, visit);
        assert.ok(!replies.some(isAnswer), JSON.stringify(replies));
        assert.equal(stopsAt?.step, SEEN_AT, stdout);
        assert.match(
          stopsAt.text,
          SEEN_AT === "packets"
            ? /; new connections: they stop there, or on the way there or back$/
            : /: \d+ SYN_RECV; the director sent the requests to the server and saw no answer \(from before: /,
        );
        assert.equal(status, 1);
      } finally {
        site.network.sh("real1", "iptables-legacy -F INPUT");
      }
      const after = await followAmid(REGULAR, visit);
      assert.equal(after.stopsAt, null, after.stdout);
      assert.equal(after.status, 0);
      await session.close();
    },
  );

  test(
    "doctor --client names the marking rule that the client does not meet",
    { skip },
    async () => {
      await balance(`
        -A -f 7 -s rr
        -a -f 7 -r 198.51.100.11:8080 -m`);
      const mark = (device: string) =>
        void site.network.sh(
          DIRECTOR,
          `iptables-legacy -t mangle -F PREROUTING; iptables-legacy -t mangle -A PREROUTING -i ${device} -d 192.0.2.100 -p tcp --dport 80 -j MARK --set-mark 7`,
        );
      try {
        mark("back");
        const { stopsAt, status, stdout, replies } = await follow(MARKED);
        assert.ok(!replies.some(isAnswer), JSON.stringify(replies));
        assert.equal(stopsAt?.step, "marks", stdout);
        assert.match(
          stopsAt.text,
          /^rule 1 of chain PREROUTING .*, sets mark 7 for fwm\/7; it does not match: requests of \S+ come in by front, which the rule does not match$/,
        );
        assert.equal(status, 1);
        mark("front");
        const after = await follow(MARKED);
        assert.ok(after.replies.some(isAnswer), JSON.stringify(after.replies));
        assert.equal(after.stopsAt, null, after.stdout);
        assert.match(
          after.steps.find(({ step }) => step === "marks")?.text ?? "",
          /it matches packets of the client that meet its conditions$/,
        );
      } finally {
        site.network.sh(DIRECTOR, "iptables-legacy -t mangle -F PREROUTING");
      }
    },
  );

  test(
    "doctor --client stops at data connections of FTP whose ports have no mark",
    { skip: skip || without("tcpdump", "tcpdump") },
    async () => {
      await balance(`
        -A -f 21 -s rr
        -a -f 21 -r 198.51.100.11 -m`);
      for (const ports of ["21", "10000:20000"])
        site.network.sh(
          DIRECTOR,
          `iptables-legacy -t mangle -A PREROUTING -d 192.0.2.100 -p tcp --dport ${ports} -j MARK --set-mark 21`,
        );
      /** Logs in, and connects to a data port. @returns what doctor says, and whether the data port answered */
      const visit = async (port: number, seconds: number) => {
        const data: Reply[] = [];
        const manner = { from: UNSERVED, patienceSeconds: 2 };
        const found = await followAmid(
          UNSERVED,
          async () => {
            await site.client.get("http://192.0.2.100:21/", manner);
            const url = `http://192.0.2.100:${port}/`;
            data.push(...(await site.client.get(url, manner)));
          },
          seconds,
        );
        return { ...found, data };
      };
      /** Whether doctor warns without a client, by the packets of the rules. */
      const isWarning = async () => {
        const { found } = await examined();
        return found.some(
          ({ id, severity, subject }) =>
            `${severity} ${id}` === "warning ftp-ports-unmatched" &&
            subject === "fwm/21",
        );
      };
      try {
        // On a slow machine too few packets pass at first.
        let refused = await visit(33255, 6);
        for (const seconds of [20, 60])
          if (!refused.stopsAt) refused = await visit(33255, seconds);
        assert.ok(!refused.data.some(isAnswer), JSON.stringify(refused.data));
        assert.equal(refused.stopsAt?.step, "packets", refused.stdout);
        assert.match(
          refused.stopsAt.text,
          /^TCP 192\.0\.2\.100: \d+ new connections? to port 33255: no service takes (?:it|them), and this machine resets (?:it|them); the nearest rule that sets a mark of a service is rule 2 of chain PREROUTING .*, 0 packets: mark 21 for ports 10000:20000; a connection of the client to port 21 passes, so these are probably data connections of FTP, /,
        );
        assert.equal(refused.status, 1);
        const more = { from: UNSERVED, count: 10 };
        await site.client.get("http://192.0.2.100:21/", more);
        assert.ok(await isWarning());
        const passing = await visit(10021, 6);
        assert.ok(passing.data.some(isAnswer), JSON.stringify(passing.data));
        assert.equal(passing.stopsAt, null, passing.stdout);
        assert.doesNotMatch(passing.stdout, /no service takes/);
        assert.ok(!(await isWarning()));
      } finally {
        site.network.sh(DIRECTOR, "iptables-legacy -t mangle -F PREROUTING");
      }
    },
  );

  test(
    "doctor --client sees that requests are routed back, because the virtual address is not local",
    { skip: without("tcpdump", "tcpdump") },
    async () => {
      const url = "http://203.0.113.99/";
      await balance(`
        -A -t 203.0.113.99:80 -s rr
        -a -t 203.0.113.99:80 -r 198.51.100.11:8080 -m`);
      site.network.sh("client", "ip route add 203.0.113.99 via 192.0.2.1");
      site.network.sh(DIRECTOR, "ip route add 203.0.113.99 via 192.0.2.10");
      try {
        const ask = async (patienceSeconds: number) => {
          await site.client.get(url, { from: ROUTED, patienceSeconds });
        };
        // On a slow machine too few packets pass at first.
        let routed = await followAmid(ROUTED, () => ask(3));
        for (const seconds of [20, 60])
          if (!routed.stopsAt)
            routed = await followAmid(ROUTED, () => ask(10), seconds);
        assert.equal(routed.stopsAt?.step, "packets", routed.stdout);
        assert.match(
          routed.stopsAt.text,
          /; this machine sends them on by front, back to where they came from \(a routing loop\): 203\.0\.113\.99 is not local, so IPVS does not get them; 'ipvsadm doctor' prints the fix \(vip-not-local\)$/,
        );
        assert.doesNotMatch(routed.stdout, /ip neighbor show/);
      } finally {
        site.network.sh(DIRECTOR, "ip route del 203.0.113.99");
        site.network.sh("client", "ip route del 203.0.113.99");
      }
    },
  );

  test("doctor --client sees that the answers to datagrams are refusals", async () => {
    /** Follows a client that sends datagrams. @returns whether it got answers, and what the counters say */
    const followDatagrams = async (from: string) => {
      let answers = 0;
      const { steps, stdout } = await followAmid(from, async () => {
        const manner = { from, count: 1, patienceSeconds: 1 };
        const replies = await site.client.sendDatagrams(
          "192.0.2.100:53",
          manner,
        );
        answers += replies.filter((one) => "server" in one).length;
      });
      const counters = steps.find(({ step }) => step === "counters");
      assert.ok(counters, stdout);
      return { answers, counters };
    };
    await balance(`
      -A -u 192.0.2.100:53 -s rr
      -a -u 192.0.2.100:53 -r 198.51.100.11:54 -m`);
    const refused = await followDatagrams(REFUSED);
    assert.equal(refused.answers, 0);
    assert.equal(refused.counters.state, "unknown");
    assert.match(
      refused.counters.text,
      /they are as large as ICMP messages that refuse these requests: perhaps no program listens there$/,
    );
    // Port 53 has a program.
    await balance(`
      -A -u 192.0.2.100:53 -s rr
      -a -u 192.0.2.100:53 -r 198.51.100.11:53 -m`);
    const served = await followDatagrams(SERVED);
    assert.ok(served.answers > 0);
    assert.equal(served.counters.state, "ok");
  });
});
