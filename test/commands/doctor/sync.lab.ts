import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, suite, test } from "node:test";
import { promisify } from "node:util";
import { eventually } from "../../lab/eventually.js";
import { isAnswer } from "../../lab/http.js";
import { PROGRAMS } from "../../lab/installed.js";
import { commandOn, DIRECTOR, type NetworkPlan } from "../../lab/network.js";
import { ours } from "../../lab/program.js";
import { forgetConnections } from "../../traffic/forget-connections.js";
import { balance, ipvsadm } from "../../traffic/ipvsadm.js";
import { without } from "../../traffic/needs.js";
import { siteOf } from "../../traffic/site.js";
import {
  carryOut,
  examined,
  proves,
  silent,
  type Case,
  type Found,
} from "./case.js";
import { described } from "./real-server-case.js";
import { startResident } from "./resident.js";

/** Two directors in two networks; the one that this process runs on stands by. */
const TWO_DIRECTORS: NetworkPlan = {
  client: { addresses: { lan: ["203.0.113.10/24", "203.0.113.20/24"] } },
  [DIRECTOR]: {
    addresses: { lan: ["203.0.113.2/24"], cross: ["198.51.100.2/24"] },
  },
  active: {
    addresses: {
      lan: ["203.0.113.1/24", "203.0.113.100/32"],
      cross: ["198.51.100.1/24"],
    },
  },
  real1: {
    addresses: { lan: ["203.0.113.11/24"], lo: ["203.0.113.100/32"] },
    sysctls: {
      "net.ipv4.conf.all.arp_ignore": 1,
      "net.ipv4.conf.all.arp_announce": 2,
    },
  },
};

const RULES = `
  -A -t 203.0.113.100:80 -s rr
  -a -t 203.0.113.100:80 -r 203.0.113.11:80 -g -w 1`;
const URL = "http://203.0.113.100/";
const MASTER = "--start-daemon master --mcast-interface lan --syncid 51";
const BACKUP = "--start-daemon backup --mcast-interface lan --syncid 51";
/** Enough for a message of the sessions that clients make meanwhile. */
const LISTENING = "8s";
/** Connections of several messages: more than twenty fill 1024 bytes */
const MANY = 200;
const skip = without("iptables-legacy", "iptables");

suite("doctor of sync daemons", () => {
  const site = siteOf(TWO_DIRECTORS, { real1: { http: [80] } });

  /** Runs a program of ours on the active director. */
  function onActive(command: string, stdin = ""): void {
    const run = `${PROGRAMS}${command.replace(/^\S+/, "$&.cjs")}`;
    site.network.sh("active", `printf '%s' '${stdin}' | ${run}`);
  }

  /** Restarts the backup. */
  async function standBy(options = BACKUP): Promise<void> {
    await ipvsadm("--stop-daemon backup");
    await ipvsadm(options);
  }

  before(async () => {
    onActive("ipvsadm-restore", RULES);
    onActive(`ipvsadm ${MASTER}`);
    await ipvsadm(BACKUP);
  });
  after(() => ipvsadm("--stop-daemon backup"));

  /** Moves the virtual address from one director to the other. */
  function move(from: string, to: string): void {
    const address = "203.0.113.100/32 dev lan";
    site.network.sh(from, `ip address del ${address}`);
    site.network.sh(to, `ip address add ${address}`);
    site.network.sh("client", "ip neigh flush dev lan");
  }

  /** Whether a session goes on when the other director takes over. @param seconds how long to wait for its entry there */
  async function survives(seconds: number): Promise<boolean> {
    const session = await site.client.hold(URL);
    for (let i = 0; i < 3; i++) await session.ask();
    await eventually(
      () => ipvsadm("-Lnc"),
      (text) => text.includes(`203.0.113.10:${session.localPort} `),
      seconds,
    );
    move("active", DIRECTOR);
    const reply = await session.ask();
    move(DIRECTOR, "active");
    await session.close();
    return isAnswer(reply);
  }

  /** A client makes sessions. */
  async function sessions(
    goesOn: () => boolean,
    from = "203.0.113.10",
  ): Promise<void> {
    while (goesOn()) {
      const session = await site.client.hold(URL, { from });
      for (let i = 0; i < 3; i++) await session.ask();
      await session.close();
    }
  }

  /** What doctor says while a client makes sessions. */
  async function amidSessions(line: string, from?: string): Promise<string> {
    let acting = true as boolean;
    const doctor = ours(line.split(" ")).finally(() => (acting = false));
    await sessions(() => acting, from);
    const { stdout, stderr } = await doctor;
    assert.equal(stderr, "");
    return stdout;
  }

  const restart = async (finding: Found) => {
    assert.deepEqual(finding.fix, []);
    for (const command of described(finding).split(" && "))
      await ipvsadm(command.replace(/^ipvsadm /, ""));
  };

  /** The backup knows connections of before, so the finding describes no restart. */
  const restartAsBefore = async (finding: Found) => {
    assert.deepEqual(finding.fix, []);
    await standBy();
  };

  /** A fault of a sync daemon: sessions end when the other director takes over. */
  function ends(one: Omit<Case, "rules" | "works" | "fails">): void {
    proves(site, {
      subject: "lan",
      rules: RULES,
      async works() {
        assert.ok(await survives(60), "the session goes on");
      },
      async fails() {
        assert.ok(!(await survives(4)), "the session ends");
      },
      lastly: () => standBy(),
      ...one,
    });
  }

  test("doctor does not call sync ids checked if no message arrived, and says what to compare", async () => {
    await balance(RULES);
    const { stdout, status } = await ours(
      "doctor --only sync-ids-differ".split(" "),
    );
    const text = stdout.replaceAll(/\s+/g, " ");
    assert.match(
      text,
      /the backup here, which accepts sync id 51 \(lan, group 224\.0\.0\.81, port 8848\): none arrived in 1\.5 s\. 'ipvsadm -L --daemon' on both directors must show the same values/,
    );
    assert.match(text, /No kind of fault could be checked\. $/);
    assert.equal(status, 0);
  });

  ends({
    id: "sync-ids-differ",
    name: "few messages",
    seen: /^the backup here accepts messages with sync id 15, and the messages that arrive have 51$/,
    fault: () => standBy(BACKUP.replace("51", "15")),
    options: `--for ${LISTENING}`,
    traffic: sessions,
    evidence:
      /"ipvsadm --stop-daemon backup && ipvsadm --start-daemon backup --mcast-interface lan --syncid 51 [^"]*"/,
    repair: restart,
  });

  ends({
    id: "sync-blocked",
    name: "the backup's firewall",
    skip,
    seen: /^rule 1 of chain INPUT .*, drops sync messages \(lan, group 224\.0\.0\.81, port 8848\)$/,
    fault: () =>
      void site.network.sh(
        DIRECTOR,
        "iptables-legacy -A INPUT -i lan -p udp --dport 8848 -j DROP",
      ),
    lastly: () => void site.network.sh(DIRECTOR, "iptables-legacy -F INPUT"),
  });

  ends({
    id: "sync-elsewhere",
    name: "another interface",
    subject: "cross",
    seen: /listens on cross, .*; messages arrive by lan, for group 224\.0\.0\.81, port 8848, with sync id 51, from 203\.0\.113\.1$/,
    fault: () => standBy(BACKUP.replace("lan", "cross")),
    options: `--for ${LISTENING}`,
    traffic: sessions,
    repair: restartAsBefore,
  });

  ends({
    id: "sync-elsewhere",
    name: "another port and group",
    seen: /listens on lan, group 224\.0\.0\.82, port 8849, .*; messages arrive by lan, for group 224\.0\.0\.81, port 8848, with sync id 51, /,
    fault: () =>
      standBy(`${BACKUP} --mcast-group 224.0.0.82 --mcast-port 8849`),
    options: `--for ${LISTENING}`,
    traffic: sessions,
    repair: restartAsBefore,
  });

  /** Many clients connect at the same time, so that a message of the master has many connections. @returns their ports */
  async function burst(): Promise<string[]> {
    const program = `
      const { get } = require("node:http");
      const ask = () => new Promise((done, fail) =>
        get("${URL}", (reply) => {
          const { localPort } = reply.socket;
          reply.resume().on("end", () => done(localPort));
        }).on("error", fail));
      Promise.all(Array.from({ length: ${MANY} }, ask)).then((ports) =>
        console.log(ports.join(" ")));`;
    const [file = "", ...words] = commandOn("client", [
      process.execPath,
      "-e",
      program,
    ]);
    const { stdout } = await promisify(execFile)(file, words);
    return stdout.trim().split(" ");
  }

  /** How many connections of a burst this director knows. @param seconds how long to wait for all */
  async function learned(seconds: number): Promise<number> {
    await forgetConnections();
    await balance(RULES);
    const ports = await burst();
    assert.equal(ports.length, MANY);
    return eventually(
      async () => {
        const list = await ipvsadm("-Lnc");
        return ports.filter((port) => list.includes(`203.0.113.10:${port} `))
          .length;
      },
      (some) => some === MANY,
      seconds,
    );
  }

  proves(site, {
    id: "sync-too-long",
    subject: "lan",
    rules: RULES,
    seen: /^a message of 1[0-9]{3} bytes arrived, and the backup here reads at most 1024 \(maxlen\)$/,
    async works() {
      const all = await learned(60);
      assert.equal(all, MANY);
    },
    // The kernel takes no smaller limit for a backup.
    fault: () => standBy(`${BACKUP} --sync-maxlen 1`),
    async fails() {
      const some = await learned(4);
      assert.ok(some < MANY, `${some} of ${MANY} connections`);
    },
    options: `--for ${LISTENING}`,
    async traffic(goesOn) {
      while (goesOn()) await burst();
    },
    repair: restart,
    lastly: () => standBy(),
  });

  test(
    "doctor on the master finds the firewall that drops its messages, and names its sync id",
    { skip },
    async () => {
      await balance(RULES);
      assert.ok(await survives(60));
      site.network.sh(
        "active",
        "iptables-legacy -A OUTPUT -d 224.0.0.0/4 -j DROP",
      );
      const resident = startResident("active");
      try {
        assert.ok(!(await survives(4)));
        const look = async () => {
          const { stdout } = await resident.run(["doctor", "-o", "json"]);
          return JSON.parse(stdout) as {
            findings: readonly Found[];
            notChecked: readonly string[];
          };
        };
        const { findings, notChecked } = await look();
        const [first, ...others] = findings;
        assert.deepEqual(others, []);
        assert.equal(first?.id, "sync-blocked");
        const [fix] = first.fix;
        assert.match(
          fix?.command ?? "",
          /^iptables(-legacy)? -t filter -I OUTPUT -o \S+ -d 224\.0\.0\.81\/32 -p udp --dport 8848 -j ACCEPT$/,
        );
        assert.match(
          notChecked.join("\n"),
          /which have sync id 51 \(lan, group 224\.0\.0\.81, port 8848\): 'ipvsadm -L --daemon' on the backup must show the same values/,
        );
        carryOut(site, first, {}, "active");
        assert.ok(await survives(60));
        assert.deepEqual((await look()).findings, []);
      } finally {
        await resident.stop();
        site.network.sh("active", "iptables-legacy -F OUTPUT");
      }
    },
  );

  test("doctor --client on a backup thinks of synchronization", async () => {
    await balance(RULES);
    // Messages about the other address may still be on their way.
    const client = "203.0.113.20";
    const follow = async () => {
      const line = `doctor --client ${client} --for ${LISTENING} -o json`;
      return JSON.parse(await amidSessions(line, client)) as {
        stopsAt: { step: string; text: string } | null;
        steps: readonly { step: string; state: string; text: string }[];
      };
    };
    try {
      await standBy(BACKUP.replace("51", "15"));
      const { stopsAt, steps } = await follow();
      assert.equal(stopsAt, null, JSON.stringify(steps));
      const ignored = steps.find(({ step }) => step === "sync");
      assert.equal(ignored?.state, "unknown");
      assert.match(
        ignored.text,
        /accepts sync id 15 .*, and the messages that arrived have sync id 51 \(from 203\.0\.113\.1\): it ignores them/,
      );
      assert.match(
        steps.find(({ step }) => step === "entries")?.text ?? "",
        /^no connection of this client is known here\. This machine is a backup/,
      );
    } finally {
      await standBy();
    }
    const { stopsAt, steps } = await follow();
    assert.equal(stopsAt, null);
    const sync = steps.find(({ step }) => step === "sync");
    assert.equal(sync?.state, "ok", JSON.stringify(steps));
  });

  test("doctor hears messages to a group of IPv6", async () => {
    await balance(RULES);
    const group = "--mcast-group ff02::81";
    onActive("ipvsadm --stop-daemon master");
    onActive(`ipvsadm ${MASTER} ${group}`);
    try {
      await standBy(`${BACKUP.replace("51", "15")} ${group}`);
      const line = `doctor --only sync-ids-differ --for ${LISTENING} -o json`;
      const { findings } = JSON.parse(await amidSessions(line)) as {
        findings: readonly Found[];
      };
      const [first] = findings;
      assert.equal(first?.id, "sync-ids-differ");
      assert.match(first.evidence.join(), /they come from fe80::/);
      await restart(first);
      assert.ok(await survives(60));
      await silent();
    } finally {
      onActive("ipvsadm --stop-daemon master");
      onActive(`ipvsadm ${MASTER}`);
      await standBy();
    }
    assert.deepEqual((await examined()).found, []);
  });
});
