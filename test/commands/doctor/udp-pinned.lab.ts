import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { suite, test } from "node:test";
import { eventually } from "../../lab/eventually.js";
import { commandOn, DIRECTOR } from "../../lab/network.js";
import { balance, ipvsadm } from "../../traffic/ipvsadm.js";
import {
  DIRECT_BEHIND_ROUTER,
  ROUTED_VIP as VIP,
} from "../../traffic/places.js";
import { siteOf } from "../../traffic/site.js";
import { ours } from "../../lab/program.js";
import { proves } from "./case.js";

const SIP = `-u ${VIP}:5060`;
const DATAGRAMS = [`${VIP}:5060`];
/** So many answers show whether both servers get datagrams. */
const ENOUGH_ANSWERS = 20;

/** Sends datagrams from port 5060 until it is stopped, and prints who answers. */
const PROGRAM = `
  const socket = require("dgram").createSocket("udp4");
  socket.on("message", (message) => console.log(JSON.parse(message).server));
  socket.bind(5060, () =>
    setInterval(() => socket.send("who are you?", 5060, "${VIP}"), 100));`;

/** A telephone exchange that sends from one port. */
class Exchange {
  /** The servers that answered, in their order */
  readonly servers: string[] = [];
  readonly #child;

  constructor(host: string) {
    const [file = "", ...words] = commandOn(host, [
      process.execPath,
      "-e",
      PROGRAM,
    ]);
    this.#child = spawn(file, words, { stdio: ["ignore", "pipe", "inherit"] });
    createInterface(this.#child.stdout).on("line", (line) =>
      this.servers.push(line),
    );
  }

  /** Waits for answers. @returns the servers of all that came */
  async answers(): Promise<Set<string>> {
    const servers = await eventually(
      () => Promise.resolve(this.servers),
      ({ length }) => length >= ENOUGH_ANSWERS,
    );
    assert.ok(servers.length >= ENOUGH_ANSWERS, `${servers.length} answers`);
    return new Set(servers);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null)
      return;
    const exit = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exit;
  }
}

suite("doctor finds a UDP client port that binds its datagrams", () => {
  const site = siteOf(DIRECT_BEHIND_ROUTER, {
    real1: { datagrams: DATAGRAMS },
    real2: { datagrams: DATAGRAMS },
  });
  let exchange: Exchange | undefined;
  const stop = async () => {
    await exchange?.stop();
    exchange = undefined;
  };
  const entries = () =>
    site.network.sh(
      DIRECTOR,
      "grep -c '^UDP .* CB007164 13C4 ' /proc/net/ip_vs_conn || true",
    );

  for (const [scheduler, other] of [
    ["rr", "rr"],
    ["wlc", "wrr"],
  ])
    proves(site, {
      id: "udp-pinned",
      name: `scheduler ${scheduler ?? ""}`,
      subject: `udp/${VIP}:5060`,
      seen: /^(\d+) of \1 datagrams .* went to 203\.0\.113\.1[12]:5060; the connection table has 1 entry of the service, of client 192\.0\.2\.10$/,
      rules: `
        -A ${SIP} -s ${other ?? ""} -o
        -a ${SIP} -r 203.0.113.11:5060 -g
        -a ${SIP} -r 203.0.113.12:5060 -g`,
      async works() {
        exchange = new Exchange("client");
        try {
          const servers = await exchange.answers();
          assert.deepEqual([...servers].sort(), ["real1", "real2"]);
        } finally {
          await stop();
        }
      },
      async fault() {
        await ipvsadm("--set 0 0 10");
        await ipvsadm(`-E ${SIP} -s ${scheduler ?? ""}`);
      },
      async fails() {
        // It goes on while doctor looks.
        exchange = new Exchange("client");
        assert.equal((await exchange.answers()).size, 1);
        if (scheduler !== "rr") return;
        const { stdout } = await ours(
          "doctor --client 192.0.2.10 --for 6s".split(" "),
        );
        assert.match(
          stdout.replaceAll(/\s+/g, " "),
          /all datagrams from client port 5060 are one entry, .* it expires 10 s after its last datagram/,
        );
      },
      // A client that goes on sending keeps its entry.
      async afterFix() {
        await stop();
        const left = await eventually(
          () => Promise.resolve(entries()),
          (count) => count.trim() === "0",
        );
        assert.equal(left.trim(), "0");
      },
      async lastly() {
        await stop();
        await ipvsadm("--set 900 0 300");
      },
    });

  test("wlc with one-packet scheduling gives all datagrams to one server, so the fix needs wrr", async () => {
    await balance(`
      -A ${SIP} -s wlc -o
      -a ${SIP} -r 203.0.113.11:5060 -g
      -a ${SIP} -r 203.0.113.12:5060 -g`);
    exchange = new Exchange("client");
    try {
      assert.equal((await exchange.answers()).size, 1);
    } finally {
      await stop();
    }
  });
});
