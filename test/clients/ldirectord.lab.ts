import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { get, type IncomingMessage } from "node:http";
import { json } from "node:stream/consumers";
import { after, before, suite, test } from "node:test";
import { eventually } from "../lab/eventually.js";
import { startServer, type Page, type Server } from "../lab/http.js";
import { buildNetwork, DIRECTOR, type Network } from "../lab/network.js";
import { alike } from "./contenders.js";
import { unprepared } from "./machine.js";
import { bash } from "./shell.js";
import { becomes, PATIENCE_SECONDS } from "./table.js";

const LOG = "/run/ldirectord.log";
const PID_FILE = "/run/ldirectord.ldirectord.cf.pid";

const CONFIGURATION = `
checktimeout = 60
negotiatetimeout = 60
checkinterval = 1
readdquiescent = yes
logfile = "${LOG}"

virtual = 192.0.2.1:80
	real = 10.1.0.11:80 masq 3
	real = 10.1.0.12:80 masq 2
	fallback = 127.0.0.1:80 gate
	quiescent = no
	protocol = tcp
	scheduler = wlc
	service = http
	checktype = negotiate
	request = "/"
	receive = "web"

virtual6 = [2001:db8::1]:80
	real6 = [2001:db8:1::11]:80 masq 3 l:50 u:100
	quiescent = yes
	protocol = tcp
	scheduler = rr
	persistent = 60
	netmask = 64
	service = http
	checktype = connect

virtual = 7
	real = 10.1.0.13:80 gate
	protocol = fwm
	scheduler = sh
	persistent = 77
	netmask = 255.255.255.0
	checktype = on
`;

const WEB = "-A -t 192.0.2.1:80 -s wlc\n";
const WEB1 = "-a -t 192.0.2.1:80 -r 10.1.0.11:80 -m -w 3\n";
const WEB2 = "-a -t 192.0.2.1:80 -r 10.1.0.12:80 -m -w 2\n";
const FALLBACK = "-a -t 192.0.2.1:80 -r 127.0.0.1:80 -g -w 1\n";

/**
 * The other services: web1 under its other address, disabled while it does not reply, and one
 * without a check.
 */
const IN_USE = "-w 3 -x 100 -y 50";
const OUT_OF_USE = "-w 0";
const others = (web1: string) => `-A -t [2001:db8::1]:80 -s rr -p 60 -M 64
-a -t [2001:db8::1]:80 -r [2001:db8:1::11]:80 -m ${web1}
-A -f 7 -s sh -p 77 -M 255.255.255.0
-a -f 7 -r 10.1.0.13:80 -g -w 1
`;

suite("Debian's ldirectord", { skip: unprepared() }, () => {
  let network: Network;
  before(() => {
    network = buildNetwork({
      [DIRECTOR]: {
        addresses: {
          lan: ["10.1.0.1/24", "2001:db8:1::1/64"],
          lo: ["192.0.2.1/32"],
        },
      },
      web1: {
        addresses: { lan: ["10.1.0.11/24", "2001:db8:1::11/64"] },
        routes: ["default via 10.1.0.1"],
      },
      web2: {
        addresses: { lan: ["10.1.0.12/24"] },
        routes: ["default via 10.1.0.1"],
      },
    });
    writeFileSync("/etc/ldirectord.cf", CONFIGURATION);
  });
  after(() => {
    network[Symbol.dispose]();
  });

  test("ldirectord removes failed servers, adds them again, and uses the fallback meanwhile", async () => {
    const { answers, log, status } = await alike(async () => {
      rmSync(LOG, { force: true });
      const servers: Record<string, Server> = {};
      for (const host of [DIRECTOR, "web1", "web2"])
        servers[host] = await startServer(host, [80]);
      try {
        return await play(servers);
      } finally {
        await end();
        for (const server of Object.values(servers)) await server.stop();
      }
    });
    assert.deepEqual(answers, ["web2", DIRECTOR, "web1"]);
    assert.equal(status.status, 0);
    assert.match(status.stderr, /is running with pid/);
    const times = (message: string) => log.filter((one) => one === message);
    for (const message of [
      "Added virtual server: 7",
      "Deleted real server: 10.1.0.11:80 (192.0.2.1:80)",
      "Deleted real server: 10.1.0.12:80 (192.0.2.1:80)",
      "Purged virtual server (stop): [2001:db8::1]:80",
    ])
      assert.equal(times(message).length, 1, message);
    assert.doesNotMatch(log.join("\n"), /failed|Unknown line/);
  });
});

/**
 * Stops and starts servers, waits for the daemon's reaction, and returns the other observations.
 */
async function play(servers: Record<string, Server>) {
  const answers: string[] = [];
  const start = bash("/etc/init.d/ldirectord start");
  await becomes(WEB + WEB1 + WEB2 + others(IN_USE));
  const status = withoutPid(bash("/etc/init.d/ldirectord status"));

  await servers["web1"]?.stop();
  await becomes(WEB + WEB2 + others(OUT_OF_USE));
  answers.push(await whoAnswers());

  await servers["web2"]?.stop();
  await becomes(WEB + FALLBACK + others(OUT_OF_USE));
  answers.push(await whoAnswers());

  servers["web1"] = await startServer("web1", [80]);
  await becomes(WEB + WEB1 + others(IN_USE));
  answers.push(await whoAnswers());

  await end();
  await becomes("");
  return { start, status, answers, log: logged() };
}

/** The name of the host whose page a client of the service gets. */
async function whoAnswers(): Promise<string> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get("http://192.0.2.1/", { agent: false }, resolve).on("error", reject);
  });
  const { server } = (await json(response)) as Page;
  return server;
}

/** Stops the daemon if it runs. */
async function end(): Promise<void> {
  if (!existsSync(PID_FILE)) return;
  assert.equal(bash("/etc/init.d/ldirectord stop").status, 0);
  const read = () => Promise.resolve(existsSync(PID_FILE));
  assert.ok(!(await eventually(read, (there) => !there, PATIENCE_SECONDS)));
}

/** The daemon's log, sorted: the order in which it checks two services of one server varies. */
function logged(): string[] {
  const lines = readFileSync(LOG, "latin1").trimEnd().split("\n");
  return lines
    .map((line) => line.replace(/^\[.*?\] /, "").replace(/pid: \d+/, "pid"))
    .sort();
}

function withoutPid<T extends { stderr: string }>(outcome: T): T {
  return { ...outcome, stderr: outcome.stderr.replace(/pid: \d+/, "pid") };
}
