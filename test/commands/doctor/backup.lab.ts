import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { eventually } from "../../lab/eventually.js";
import { PROGRAMS } from "../../lab/installed.js";
import { isAnswer } from "../../lab/http.js";
import { DIRECTOR, type NetworkPlan } from "../../lab/network.js";
import { balance, ipvsadm } from "../../traffic/ipvsadm.js";
import { siteOf } from "../../traffic/site.js";
import { spread } from "../../traffic/spread.js";
import { carryOut, examined, proves, silent, type Found } from "./case.js";
import { described } from "./real-server-case.js";

/** Two directors that are real servers as well; the one that this process runs on stands by. */
const TWO_DIRECTORS: NetworkPlan = {
  client: { addresses: { lan: ["203.0.113.10/24"] } },
  [DIRECTOR]: {
    addresses: { lan: ["203.0.113.1/24"], lo: ["203.0.113.100/32"] },
    sysctls: {
      "net.ipv4.conf.all.arp_ignore": 1,
      "net.ipv4.conf.all.arp_announce": 2,
    },
  },
  active: { addresses: { lan: ["203.0.113.2/24", "203.0.113.100/32"] } },
};

const RULES = `
  -A -t 203.0.113.100:80 -s rr
  -a -t 203.0.113.100:80 -r 203.0.113.1:80 -g -w 1
  -a -t 203.0.113.100:80 -r 203.0.113.2:80 -g -w 1`;
const URL = "http://203.0.113.100/";

suite("doctor of a backup director", () => {
  const site = siteOf(TWO_DIRECTORS, {
    [DIRECTOR]: { http: [80] },
    active: { http: [80] },
  });
  const director = (command: string) => site.network.sh(DIRECTOR, command);

  /** Runs a program of ours on the other director. */
  function onActive(command: string, stdin = ""): void {
    const run = `${PROGRAMS}${command.replace(/^\S+/, "$&.cjs")}`;
    site.network.sh("active", `printf '%s' '${stdin}' | ${run}`);
  }

  before(async () => {
    onActive("ipvsadm-restore", RULES);
    // The master tells of each packet. So it sends messages often, even if the machine is slow and the client makes few requests.
    site.network.sh("active", "sysctl -w net.ipv4.vs.sync_threshold='0 1'");
    onActive("ipvsadm --start-daemon master --mcast-interface lan --syncid 1");
    await ipvsadm("--start-daemon backup --mcast-interface lan --syncid 1");
  });
  after(async () => {
    await ipvsadm("--stop-daemon backup");
    director(
      "sysctl -w net.ipv4.vs.backup_only=0 net.ipv4.conf.all.arp_ignore=0 net.ipv4.conf.all.arp_announce=0",
    );
  });

  /** What this machine finds as a real server of the other one. */
  async function foundAsServer(): Promise<readonly Found[]> {
    const options =
      "--real-server tcp/203.0.113.100:80 --method direct --director 203.0.113.2";
    const { found } = await examined("all examined", options);
    return found;
  }

  proves(site, {
    id: "balances-again",
    subject: "tcp/203.0.113.100:80",
    seen: /^this backup is also real server 203\.0\.113\.1:80, and balances packets for it again, also to 203\.0\.113\.2: \d+ connections? waits? in SYN_RECV here$/,
    rules: RULES,
    prepare: () => void director("sysctl -w net.ipv4.vs.backup_only=1"),
    async works() {
      const replies = await site.client.get(URL, { count: 4 });
      assert.deepEqual(spread(replies), { director: 2, active: 2 });
      assert.deepEqual(await foundAsServer(), []);
    },
    fault: () => void director("sysctl -w net.ipv4.vs.backup_only=0"),
    async fails() {
      const replies = await site.client.get(URL, {
        count: 8,
        patienceSeconds: 1,
      });
      assert.ok(!replies.every(isAnswer), JSON.stringify(replies));
      const found = await foundAsServer();
      assert.deepEqual(
        found.map(({ id, certainty, fix }) => ({
          id,
          certainty,
          fix: fix.map(({ command }) => command),
        })),
        [
          {
            id: "own-table-balances",
            certainty: "proven",
            fix: ["sysctl -w net.ipv4.vs.backup_only=1"],
          },
        ],
      );
      assert.match(
        found[0]?.seen ?? "",
        /^the IPVS table of this machine has tcp\/203\.0\.113\.100:80 as well, .* also to 203\.0\.113\.2:80$/,
      );
    },
    // Half-open connections are there for a minute.
    async traffic(goesOn) {
      while (goesOn())
        await site.client.get(URL, { count: 8, patienceSeconds: 1 });
    },
  });

  test("doctor warns of a backup that would balance before it gets a packet", async () => {
    director("sysctl -w net.ipv4.vs.backup_only=0");
    await balance(RULES);
    const { found, status } = await examined();
    assert.deepEqual(
      found.map(({ id, subject }) => ({ id, subject })),
      [{ id: "backup-balances", subject: "tcp/203.0.113.100:80" }],
    );
    assert.equal(status, 0);
    for (const finding of found) carryOut(site, finding, {});
    await silent();
  });

  proves(site, {
    id: "sync-ids-differ",
    subject: "lan",
    seen: /^the backup here accepts messages with sync id 2, and the messages that arrive have 1$/,
    rules: RULES,
    prepare: () => void director("sysctl -w net.ipv4.vs.backup_only=1"),
    // The backup learns of new connections.
    async works() {
      await balance(RULES);
      assert.ok(await learns(60), "the backup knows connections");
    },
    fault: async () => {
      await ipvsadm("--stop-daemon backup");
      await ipvsadm("--start-daemon backup --mcast-interface lan --syncid 2");
    },
    async fails() {
      assert.equal(await learns(4), false);
    },
    evidence:
      /"ipvsadm --stop-daemon backup && ipvsadm --start-daemon backup --mcast-interface lan --syncid 1 [^"]*"/,
    // A restart is described, and not offered as a command.
    async repair(finding) {
      assert.deepEqual(finding.fix, []);
      const [step] = finding.next;
      assert.equal(step?.on, "the director with the master");
      onActive(step.command);
      for (const command of described(finding).split(" && "))
        await ipvsadm(command.replace(/^ipvsadm /, ""));
    },
    async traffic(goesOn) {
      while (goesOn()) await site.client.get(URL, { count: 10 });
    },
  });

  /** Whether the backup hears of connections that clients make now. */
  async function learns(seconds: number): Promise<boolean> {
    const held = [];
    for (let i = 0; i < 2; i++) held.push(await site.client.hold(URL));
    for (const one of held) for (let i = 0; i < 3; i++) await one.ask();
    const there = held.find(({ server }) => server === "active");
    assert.ok(there);
    const entry = `203.0.113.10:${there.localPort} `;
    const list = await eventually(
      () => ipvsadm("-Lnc"),
      (text) => text.includes(entry),
      seconds,
    );
    for (const one of held) await one.close();
    return list.includes(entry);
  }
});

/** The same two directors; the one that this process runs on is active. */
const ACTIVE_HERE: NetworkPlan = {
  client: { addresses: { lan: ["203.0.113.10/24"] } },
  [DIRECTOR]: { addresses: { lan: ["203.0.113.1/24", "203.0.113.100/32"] } },
  standby: {
    addresses: { lan: ["203.0.113.2/24"], lo: ["203.0.113.100/32"] },
    sysctls: {
      "net.ipv4.conf.all.arp_ignore": 1,
      "net.ipv4.conf.all.arp_announce": 2,
    },
  },
};

suite("doctor of an active director beside a second one", () => {
  const site = siteOf(ACTIVE_HERE, {
    [DIRECTOR]: { http: [80] },
    standby: { http: [80] },
  });
  const standby = (command: string, stdin = "") =>
    site.network.sh(
      "standby",
      `printf '%s' '${stdin}' | ${command.replace(/^ipvsadm\S*/, `${PROGRAMS}$&.cjs`)}`,
    );

  before(async () => {
    await ipvsadm("--start-daemon master --mcast-interface lan --syncid 1");
    standby("ipvsadm-restore", RULES);
    standby("ipvsadm --start-daemon backup --mcast-interface lan --syncid 1");
  });
  after(async () => {
    await ipvsadm("--stop-daemon master");
  });

  /** How long ago the connections that wait for an answer had a packet. */
  function waiting(): number[] {
    const [, ...lines] = site.network
      .sh(DIRECTOR, "cat /proc/net/ip_vs_conn")
      .trim()
      .split("\n");
    return lines
      .map((line) => line.split(/ +/))
      .filter((words) => words[7] === "SYN_RECV")
      .map((words) => 60 - Number(words[8]));
  }

  proves(site, {
    id: "direct-unanswered",
    name: "a second director answers only some requests",
    subject: "203.0.113.2:80 of tcp/203.0.113.100:80",
    seen: /^\d+ connections wait in SYN_RECV, and \d+ beside them (was|were) answered$/,
    evidence:
      /^this machine is a real server of the service as well: if 203\.0\.113\.2 is a director, too, /m,
    rules: RULES,
    prepare: () => void standby("sysctl -w net.ipv4.vs.backup_only=1"),
    async works() {
      const replies = await site.client.get(URL, { count: 4 });
      assert.deepEqual(spread(replies), { director: 2, standby: 2 });
    },
    fault: () => void standby("sysctl -w net.ipv4.vs.backup_only=0"),
    async fails() {
      let isLast = false;
      for (let i = 0; i < 40 && !isLast; i++) {
        const [reply] = await site.client.get(URL, { patienceSeconds: 1 });
        isLast =
          reply !== undefined && !isAnswer(reply) && waiting().length > 1;
      }
      assert.ok(isLast, "requests to the standby fail");
      // Doctor does not count requests that were sent just now.
      await eventually(
        () => Promise.resolve(waiting()),
        (ages) => ages.every((age) => age >= 4),
      );
    },
    machines: { "real server 203.0.113.2": "standby" },
    there: "own-table-balances",
  });
});
