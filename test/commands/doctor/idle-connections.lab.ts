import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { eventually } from "../../lab/eventually.js";
import { DIRECTOR } from "../../lab/network.js";
import { ours } from "../../lab/program.js";
import { balance, ipvsadm } from "../../traffic/ipvsadm.js";
import { without } from "../../traffic/needs.js";
import { BEHIND_DIRECTOR, ONE_NETWORK } from "../../traffic/places.js";
import { siteOf, type Site } from "../../traffic/site.js";
import { answered, proves, silent } from "./case.js";

/** The timeout of the fault. */
const TIMEOUT_SECONDS = 4;

/** Programs that the client runs, with a virtual address. */
function programsFor(site: Site, host: string) {
  const run = (program: string) =>
    site.network.sh("client", `${process.execPath} -e '${program}'`).trim();
  return {
    /** Makes two requests on one connection, with a pause longer than the timeout. @param seconds to wait for each answer */
    pause: (seconds: number) =>
      run(`
        const socket = require("net").connect(80, "${host}");
        const tell = (what) => { console.log(what); process.exit(); };
        const ask = () => socket.write("GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n");
        let text = "";
        let answers = 0;
        socket.on("connect", ask);
        socket.on("data", (data) => {
          text += data;
          // An answer may come in several parts.
          const begun = text.split("HTTP/1.1 200").length - 1;
          if (begun === answers) return;
          answers = begun;
          if (answers === 2) tell("answered");
          setTimeout(ask, ${(TIMEOUT_SECONDS + 2) * 1000});
        });
        socket.on("error", (error) => tell(error.code));
        setTimeout(() => tell("no answer"), ${TIMEOUT_SECONDS + 2 + 2 * seconds} * 1000);`),
    /** Opens connections and keeps them, so that one of them has always been idle for some time. */
    keepIdle: (): (() => void) => {
      const program = `
        setInterval(() => require("net").connect(80, "${host}").on("error", () => {}), 300);
        setTimeout(process.exit, 900000);`;
      const id = site.network.sh(
        "client",
        `${process.execPath} -e '${program}' >/dev/null 2>&1 & echo $!`,
      );
      return () =>
        void site.network.sh("client", `kill ${id.trim()} 2>/dev/null || true`);
    },
  };
}

/** Proves the finding with a table. */
function provesIdle(
  site: Site,
  host: string,
  one: {
    readonly name: string;
    readonly rules: string;
    readonly skip?: string | false;
    readonly prepare?: () => void;
    readonly lastly?: () => void;
  },
): void {
  const { pause, keepIdle } = programsFor(site, host);
  let stop: (() => void) | undefined;
  proves(site, {
    id: "idle-connections-expire",
    ...one,
    works: () => {
      assert.equal(pause(30), "answered");
      return Promise.resolve();
    },
    fault: async () => {
      await ipvsadm(`--set ${TIMEOUT_SECONDS} 0 0`);
    },
    async fails() {
      assert.notEqual(pause(3), "answered");
      stop = keepIdle();
      const { stdout } = await eventually(
        () => ours("doctor --only idle-connections-expire -o json".split(" ")),
        ({ stdout }) => stdout.includes('"id": "idle-connections-expire"'),
      );
      assert.match(stdout, /"id": "idle-connections-expire"/);
    },
    async lastly() {
      stop?.();
      one.lastly?.();
      await ipvsadm("--set 900 0 0");
    },
  });
}

suite("doctor finds idle connections that will break", () => {
  const site = siteOf(BEHIND_DIRECTOR, {
    real1: { http: [8080] },
    real2: { http: [8080] },
  });
  const director = (command: string) => void site.network.sh(DIRECTOR, command);
  const NAT = `
    -A -t 192.0.2.100:80 -s rr
    -a -t 192.0.2.100:80 -r 198.51.100.11:8080 -m
    -a -t 192.0.2.100:80 -r 198.51.100.12:8080 -m`;
  const MARK =
    "PREROUTING -d 192.0.2.100 -p tcp --dport 80 -j MARK --set-mark 7";

  provesIdle(site, "192.0.2.100", { name: "masquerading", rules: NAT });
  provesIdle(site, "2001:db8:1::100", {
    name: "IPv6",
    rules: `
      -A -t [2001:db8:1::100]:80 -s rr
      -a -t [2001:db8:1::100]:80 -r [2001:db8:2::11]:8080 -m`,
  });
  provesIdle(site, "192.0.2.100", {
    name: "a firewall mark",
    skip: without("iptables-legacy", "iptables"),
    rules: `
      -A -f 7 -s rr
      -a -f 7 -r 198.51.100.11:8080 -m`,
    prepare: () => {
      director(`iptables-legacy -t mangle -A ${MARK}`);
    },
    lastly: () => {
      director(`iptables-legacy -t mangle -D ${MARK}`);
    },
  });

  test("idle-connections-expire: a timeout above the usual keepalive is fine", async () => {
    const { keepIdle } = programsFor(site, "192.0.2.100");
    await balance(NAT);
    await ipvsadm("--set 7260 0 0");
    await answered(site, "http://192.0.2.100/");
    const stop = keepIdle();
    try {
      await silent();
    } finally {
      stop();
      await ipvsadm("--set 900 0 0");
    }
  });
});

suite(
  "doctor finds idle connections that will break, with direct routing",
  () => {
    const site = siteOf(ONE_NETWORK, {
      real1: { http: [80] },
      real2: { http: [80] },
    });
    provesIdle(site, "203.0.113.100", {
      name: "direct routing",
      rules: `
      -A -t 203.0.113.100:80 -s rr
      -a -t 203.0.113.100:80 -r 203.0.113.11 -g
      -a -t 203.0.113.100:80 -r 203.0.113.12 -g`,
    });
  },
);
