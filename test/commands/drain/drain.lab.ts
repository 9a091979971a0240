import assert from "node:assert/strict";
import { after, afterEach, before, suite, test } from "node:test";
import { isAnswer } from "../../lab/http.js";
import { eventually } from "../../lab/eventually.js";
import { sh } from "../../lab/namespaces.js";
import { Pane } from "../../lab/pane.js";
import { ours, PROGRAM } from "../../lab/program.js";
import { ipvsadm } from "../../traffic/ipvsadm.js";
import { without } from "../../traffic/needs.js";
import { ONE_NETWORK } from "../../traffic/places.js";
import { siteOf } from "../../traffic/site.js";
import { answeredBy, spread } from "../../traffic/spread.js";

const SERVERS: Readonly<Record<string, string>> = {
  real1: "203.0.113.11",
  real2: "203.0.113.12",
};
// Each test has its own port, because connections of an earlier test would count.
const PORTS = [8001, 8002, 8003, 8004, 8005, 8006];
const QUIESCENT = "/proc/sys/net/ipv4/vs/expire_quiescent_template";

suite("drain on a kernel", () => {
  const site = siteOf(ONE_NETWORK, {
    real1: { http: PORTS, datagrams: ["203.0.113.100:53"] },
    real2: { http: PORTS },
  });
  // The director sees only the packets of clients. Closed connections expire after one second.
  before(() => ipvsadm("--set 0 1 0"));
  after(() => ipvsadm("--set 0 120 300"));
  afterEach(() => sh(`echo 0 >${QUIESCENT}`));

  /** Adds a service with both servers. @returns its name for subcommands, and its URL */
  async function serve(port: number, options = "-s rr") {
    const service = `203.0.113.100:${port}`;
    await ipvsadm(`-A -t ${service} ${options}`);
    for (const server of Object.values(SERVERS))
      await ipvsadm(`-a -t ${service} -r ${server} -g -w 3 -x 500 -y 100`);
    return { service, url: `http://${service}/` };
  }

  /** The current rule of a server; undefined if there is none. */
  async function ruleOf(service: string, server: string) {
    const rules = (await ipvsadm("-Sn")).split("\n");
    return rules
      .find((rule) => rule.startsWith(`-a -t ${service} -r ${server}:`))
      ?.trim();
  }

  async function drains(service: string, server: string) {
    const rule = await eventually(
      () => ruleOf(service, server),
      (rule) => rule?.includes(" -w 0 ") ?? false,
    );
    assert.match(rule ?? "", / -w 0 -x 500 -y 100$/);
  }

  const other = (server: string) => (server === "real1" ? "real2" : "real1");

  test("drain --wait waits for an open connection while new ones go to other servers", async () => {
    const { service, url } = await serve(8001);
    const held = await site.client.hold(url);
    const server = SERVERS[held.server] ?? "";
    let settled = false;
    const draining = ours(["drain", service, server, "--wait"]).finally(() => {
      settled = true;
    });
    await drains(service, server);
    assert.deepEqual(spread(await site.client.get(url, { count: 6 })), {
      [other(held.server)]: 6,
    });
    assert.ok(isAnswer(await held.ask()));
    assert.ok(!settled, "drain is still waiting");
    await held.close();
    const { stdout, stderr, status } = await draining;
    assert.deepEqual([stderr, status], ["", 0]);
    assert.match(
      stdout,
      /: weight 0 \(was 3\); 1 active, .*\n.*: empty after \d+s\n$/,
    );
    await drains(service, server);
    const undrained = await ours(["undrain", service, server]);
    assert.deepEqual([undrained.stderr, undrained.status], ["", 0]);
    assert.match(
      (await ruleOf(service, server)) ?? "",
      / -g -w 3 -x 500 -y 100$/,
    );
    assert.deepEqual(spread(await site.client.get(url, { count: 6 })), {
      real1: 3,
      real2: 3,
    });
  });

  test("drain --remove removes the server when its last connection has ended, but not after --timeout", async () => {
    const { service, url } = await serve(8002);
    const held = await site.client.hold(url);
    const server = SERVERS[held.server] ?? "";
    const words = ["drain", service, server, "--remove"];
    const tooShort = await ours([...words, "--timeout", "1s"]);
    assert.equal(tooShort.status, 1);
    assert.match(
      tooShort.stderr,
      /is not empty after \d+s: weight 0 \(was 3\), 1 active,/,
    );
    await drains(service, server);
    const draining = ours(words);
    assert.ok(isAnswer(await held.ask()));
    await held.close();
    const { stdout, stderr, status } = await draining;
    assert.deepEqual([stderr, status], ["", 0]);
    assert.match(
      stdout,
      /weight is already 0 \(was 3\)[^]*: removed after \d+s\n$/,
    );
    assert.equal(await ruleOf(service, server), undefined);
    assert.deepEqual(spread(await site.client.get(url, { count: 4 })), {
      [other(held.server)]: 4,
    });
  });

  test("drain waits for persistence templates, and its warning of persistent clients is right", async () => {
    // The client comes again before the template expires.
    const { service, url } = await serve(8003, "-s rr -p 12");
    const [first = ""] = answeredBy(await site.client.get(url));
    const server = SERVERS[first] ?? "";
    const kept = await ours(["drain", service, server]);
    assert.equal(kept.status, 0);
    assert.match(kept.stdout, /, \d+ inactive and 1 persistent connections\n$/);
    assert.match(
      kept.stderr,
      /^ipvsadm: warning: persistent clients still reach this server/,
    );
    assert.deepEqual(spread(await site.client.get(url, { count: 3 })), {
      [first]: 3,
    });
    sh(`echo 1 >${QUIESCENT}`);
    const draining = ours(["drain", service, server, "--remove"]);
    assert.deepEqual(spread(await site.client.get(url, { count: 3 })), {
      [other(first)]: 3,
    });
    const { stdout, stderr, status } = await draining;
    assert.deepEqual([stderr, status], ["", 0]);
    assert.match(
      stdout,
      / 1 persistent connections\n.*: removed after \d+s\n$/,
    );
    assert.equal(await ruleOf(service, server), undefined);
  });

  test("drain waits for clients of UDP, which the kernel counts as inactive", async () => {
    await ipvsadm("--set 0 0 10");
    await ipvsadm("-A -u 203.0.113.100:53 -s rr");
    await ipvsadm("-a -u 203.0.113.100:53 -r 203.0.113.11 -g");
    assert.deepEqual(
      spread(await site.client.sendDatagrams("203.0.113.100:53")),
      { real1: 1 },
    );
    const { stdout, stderr, status } = await ours(
      "drain udp/203.0.113.100 203.0.113.11 --remove".split(" "),
    );
    assert.equal(status, 0);
    assert.match(
      stderr,
      /^ipvsadm: warning: this was the last real server of the/,
    );
    assert.match(stdout, /: weight 0 \(was 1\); 0 active, 1 inactive/);
    const [, seconds] = /removed after (\d+)s\n$/.exec(stdout) ?? [];
    assert.ok(Number(seconds) >= 2, stdout);
  });

  test("drain warns of schedulers that refuse the clients of a drained server", async () => {
    const { service, url } = await serve(8004, "-s sh -b sh-port");
    const drain = ["drain", service, SERVERS["real1"] ?? ""];
    // One by one, because a client stops after some failures.
    const answers = async () => {
      const replies = [];
      for (let i = 0; i < 16; i++)
        replies.push(...(await site.client.get(url)));
      return spread(replies);
    };
    const before = await answers();
    assert.equal((before["real1"] ?? 0) + (before["real2"] ?? 0), 16);
    const { stderr } = await ours(drain);
    assert.match(stderr, /scheduler sh refuses clients that hash to this/);
    const { real2, ...refused } = await answers();
    assert.ok(Object.keys(refused).length > 0, "some are refused");
    assert.ok((real2 ?? 0) > 0);
    await ipvsadm(`-E -t ${service} -s sh -b sh-port,sh-fallback`);
    assert.equal((await ours(drain)).stderr, "");
    assert.deepEqual(await answers(), { real2: 16 });
  });

  test(
    "ctrl-C during drain --wait reports the state of the server",
    { skip: without("tmux", "tmux") },
    async () => {
      const { service, url } = await serve(8005);
      const held = await site.client.hold(url);
      const server = SERVERS[held.server] ?? "";
      using pane = new Pane(300, 24);
      await pane.shows(/^ready>/);
      pane.type(
        `${PROGRAM ?? "node dist/bin/ipvsadm.cjs"} drain ${service} ${server} --wait; echo "status $?"\n`,
      );
      await pane.shows(/^ipvsadm: draining, \d+s: 1 active, \d+ inactive, 0/m);
      pane.press("C-c");
      const text = await pane.shows(/^status \d+$/m);
      assert.match(text, /^status 130$/m);
      assert.match(
        text,
        new RegExp(
          `interrupted; ${server}:8005 of tcp/${service}: weight 0 \\(was 3\\), 1 active, `,
        ),
      );
      assert.match(
        text,
        new RegExp(
          `to undo this, run 'ipvsadm undrain tcp/${service} ${server}:8005'`,
        ),
      );
      await drains(service, server);
      const undrained = await ours(["undrain", service, server]);
      assert.match(undrained.stdout, /weight 3 \(was 0\)\n$/);
      await held.close();
    },
  );
});
