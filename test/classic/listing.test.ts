import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { hex } from "../fixtures/hex.js";
import * as replies from "../fixtures/replies.js";
import { classic } from "./scripted-io.js";
import {
  commands,
  scriptedKernel,
  GET_SERVERS,
  GET_SERVICE,
  type Handler,
} from "./scripted-kernel.js";

const [GET_DAEMON, GET_CONFIG] = [11, 13];
const DAEMON = hex(
  "0b010000 2000 0300 0800 0100 02000000 0900 0200 6574683000000000 0800 0300 09000000",
);

/** The recorded table: three services. The first has two servers, the last has one. */
const recorded: Handler = (command, attributes) => {
  switch (command) {
    case GET_SERVICE:
      return attributes === ""
        ? {
            messages: [
              replies.MARK_SERVICE,
              replies.IPV6_SERVICE,
              replies.SERVICE,
            ],
          }
        : attributes.includes("c0000201")
          ? { messages: [replies.SERVICE] }
          : { errno: 3 };
    case GET_SERVERS:
      if (attributes.includes("c0000201"))
        return {
          messages: [replies.ROUTED_SERVER, replies.MASQUERADED_SERVER],
        };
      return attributes.includes("0800050007000000")
        ? { messages: [replies.TUNNELLED_SERVER] }
        : {};
    case GET_DAEMON:
      return { messages: [DAEMON] };
    case GET_CONFIG:
      return { messages: [replies.TIMEOUTS] };
    default:
      return { errno: 95 };
  }
};

/** Lists with both kinds of text builders. The results must be equal. */
async function listed(line: string, io = {}) {
  const run = (change: object) =>
    classic(line, { link: scriptedKernel(recorded), io: { ...io, ...change } });
  const outcome = await run({});
  assert.deepEqual(await run({ interpretsCode: true }), outcome);
  return outcome;
}

const VERSION = "IP Virtual Server version 1.2.1 (size=4096)\n";
const TITLES = `Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn
`;
const FIRST = `TCP  192.0.2.1:80 wrr persistent 300 mask 255.255.255.0
  -> 192.0.2.10:8080              Masq    5      0          0         
  -> 192.0.2.11:80                Route   1      0          0         
`;
const SECOND = `UDP  [2001:db8::1]:53 wlc persistent 360 pe sip ops
`;
const THIRD = `FWM  7 IPv6 wlc (flag-1)
  -> 192.0.2.10:0                 Tunnel  1      0          0         
`;

test("-Ln lists the table, sorted", async () => {
  const { stdout, stderr, status } = await listed("-Ln");
  assert.equal(stdout, VERSION + TITLES + FIRST + SECOND + THIRD);
  assert.deepEqual([stderr, status], ["", 0]);
});

test("-Ln --nosort lists services and servers in the kernel's order", async () => {
  const [service = "", masqueraded = "", routed = ""] = FIRST.split(/(?<=\n)/);
  const { stdout } = await listed("-Ln --nosort");
  assert.equal(
    stdout,
    VERSION + TITLES + THIRD + SECOND + service + routed + masqueraded,
  );
});

test("-Ln reads servers from /proc/net/ip_vs, and asks the kernel for those that are not there", async () => {
  const kernelTable = () =>
    Buffer.from(
      `TCP  C0000201:0050 wrr persistent 30000 FFFFFF00
  -> C000020B:0050      Route   1      3          4${" ".repeat(9)}
  -> C000020A:1F90      Masq    5      1          2${" ".repeat(9)}
`,
    );
  const link = scriptedKernel(recorded);
  const { stdout } = await classic("-Ln", { link, io: { kernelTable } });
  const first = FIRST.replace("5      0          0", "5      1          2");
  assert.equal(
    stdout,
    VERSION +
      TITLES +
      first.replace("1      0          0", "1      3          4") +
      SECOND +
      THIRD,
  );
  const asked = commands(link).flat();
  assert.equal(asked.filter((command) => command === GET_SERVERS).length, 2);
});

test("only the plain listing uses /proc/net/ip_vs", async () => {
  const kernelTable = () => Buffer.from("TCP  C0000201:0050 wrr \n");
  const { stdout } = await listed("-Ln --thresholds", { kernelTable });
  assert.match(stdout, /192\.0\.2\.11:80/);
});

test("-Ln -t lists one service without the module's version", async () => {
  const { stdout } = await listed("-Ln -t 192.0.2.1:80");
  assert.equal(stdout, TITLES + FIRST);
});

test("-Ln of an unknown service exits with status 1 and does not ask for its servers", async () => {
  const link = scriptedKernel(recorded);
  const { stdout, stderr, status } = await classic("-Ln -t 10.0.9.9:80", {
    link,
  });
  assert.deepEqual([stdout, stderr, status], ["", "No such service\n", 1]);
  assert.deepEqual(commands(link), [[GET_SERVICE]]);
});

test("-Ln exits with status 1 if the kernel refuses to list the table", async () => {
  const link = scriptedKernel(() => ({ errno: 1 }));
  const { stdout, stderr, status } = await classic("-Ln", { link });
  assert.equal(stderr, "Permission denied (you must be root)\n");
  assert.deepEqual([stdout, status], ["", 1]);
});

test("-L uses the requested format", async () => {
  const { stdout } = await listed("-Ln --rate -t 192.0.2.1:80");
  assert.match(stdout, /^Prot .* CPS .*\n.*\nTCP {2}192\.0\.2\.1:80 {17}/);
});

const NAMES = {
  names: {
    hostAddress: () => Promise.resolve(undefined),
    hostName: (text: string) =>
      Promise.resolve(text === "192.0.2.11" ? "rs11.example" : undefined),
    servicePort: () => undefined,
    serviceName: (port: number, transport: string) =>
      port === 80 && transport === "tcp" ? "http" : undefined,
  },
};

test("-L without -n lists hosts and services by name", async () => {
  const { stdout } = await listed("-L -t 192.0.2.1:80", NAMES);
  assert.equal(
    stdout,
    TITLES +
      `TCP  192.0.2.1:http wrr persistent 300 mask 255.255.255.0
  -> 192.0.2.10:8080              Masq    5      0          0         
  -> rs11.example:http            Route   1      0          0         
`,
  );
});

test("-Ln looks up no names", async () => {
  const fail = () => assert.fail("names are not wanted");
  const { status } = await listed("-Ln", {
    names: { hostName: fail, serviceName: fail },
  });
  assert.equal(status, 0);
});

test("-Sn writes the table as rules, sorted", async () => {
  const { stdout, stderr, status } = await listed("-Sn");
  assert.equal(
    stdout,
    `-A -t 192.0.2.1:80 -s wrr -p 300 -M 255.255.255.0
-a -t 192.0.2.1:80 -r 192.0.2.10:8080 -m -w 5
-a -t 192.0.2.1:80 -r 192.0.2.11:80 -g -w 1
-A -u [2001:db8::1]:53 -s wlc -p 360 --pe sip -o
-A -f 7 -6 -s wlc -b flag-1
-a -f 7 -6 -r 192.0.2.10:0 -i -w 1 --tun-type gue --tun-port 5555 --tun-csum -x 10 -y 5
`,
  );
  assert.deepEqual([stderr, status], ["", 0]);
});

test("-S without -n writes names", async () => {
  const { stdout } = await listed("-S", NAMES);
  assert.match(stdout, /^-a -t 192\.0\.2\.1:http -r rs11\.example:http -g/m);
});

test("-L --timeout and -L --daemon list timeouts and sync daemons", async () => {
  const timeouts = await listed("-L --timeout");
  assert.equal(timeouts.stdout, "Timeout (tcp tcpfin udp): 1 2 3\n");
  const daemons = await listed("-L --daemon");
  assert.equal(daemons.stdout, "backup sync daemon (mcast=eth0, syncid=9)\n");
});

const CONNECTION_TITLES =
  "IPVS connection entries\n" +
  "pro expire state       source             virtual            destination\n";

/** A file of connections with this text. It is deleted after the test. */
function fileOf(t: TestContext, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "ipvsadm-"));
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  const file = join(folder, "ip_vs_conn");
  writeFileSync(file, text);
  return file;
}

const CONNECTIONS = `Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData
TCP 0A090001 9C40 C0000201 0050 C000020B 0050 ESTABLISHED     899
UDP 0A090001 0000 C0000201 13C4 C000020A 14E9 UDP             297 sip abc@def
`;

test("-Lnc lists connections in the kernel's order", async (t) => {
  const connections = fileOf(t, CONNECTIONS);
  const { stdout, status } = await listed("-Lnc", {
    connectionsFile: connections,
  });
  assert.equal(
    stdout,
    CONNECTION_TITLES +
      "TCP 14:59  ESTABLISHED 10.9.0.1:40000     192.0.2.1:80       192.0.2.11:80\n" +
      "UDP 04:57  UDP         10.9.0.1:0         192.0.2.1:5060     192.0.2.10:5353\n",
  );
  assert.equal(status, 0);
});

test("-Lc lists names, and with --persistent-conn the persistence data", async (t) => {
  const connections = fileOf(t, CONNECTIONS);
  const { stdout } = await listed("-Lc --persistent-conn", {
    ...NAMES,
    connectionsFile: connections,
  });
  assert.match(stdout, /^pro .* pe name +pe_data$/m);
  assert.match(stdout, / 192\.0\.2\.1:http +rs11\.example:http$/m);
  assert.match(stdout, / 192\.0\.2\.10:5353 +sip +abc@def$/m);
});

test("-Lnc without connections prints the titles", async (t) => {
  const [title = ""] = CONNECTIONS.split(/(?<=\n)/);
  const connections = fileOf(t, title);
  const { stdout } = await listed("-Lnc", { connectionsFile: connections });
  assert.equal(stdout, CONNECTION_TITLES);
});

test("-Lnc exits with status 1 if the file of connections cannot be opened", async () => {
  const { stdout, stderr, status } = await listed("-Lnc", {
    connectionsFile: "/nonexistent/ip_vs_conn",
  });
  assert.equal(stderr, "cannot open file /nonexistent/ip_vs_conn\n");
  assert.deepEqual([stdout, status], ["", 1]);
});
