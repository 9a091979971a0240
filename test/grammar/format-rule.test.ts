import assert from "node:assert/strict";
import { test } from "node:test";
import { INET, INET6, parseAddress } from "../../src/ipvs/address.js";
import {
  formatEndpoint,
  SCTP,
  TCP,
  UDP,
  type ServerSettings,
  type ServiceKey,
  type ServiceSettings,
} from "../../src/ipvs/model.js";
import { ruleLines } from "../../src/grammar/format-rule.js";
import { address, serverEntry, serviceEntry } from "../fixtures/entries.js";

const WEB: ServiceKey = {
  family: INET,
  protocol: TCP,
  address: address("10.0.0.1"),
  port: 80,
};

/** The line that adds a service. */
function added(key: ServiceKey, settings: Partial<ServiceSettings> = {}) {
  const [line] = ruleLines(serviceEntry(key, settings), formatEndpoint);
  return line;
}

/** The line that adds a server to a service. */
function serverOf(
  key: ServiceKey,
  text: string,
  port: number,
  settings: Partial<ServerSettings> = {},
) {
  const server = serverEntry(text, port, settings);
  const service = serviceEntry(key, {}, [server]);
  const [, line] = ruleLines(service, formatEndpoint);
  return line;
}

test("a service is written with its protocol, address, port and scheduler", () => {
  assert.equal(added(WEB), "-A -t 10.0.0.1:80 -s wlc\n");
  assert.equal(added({ ...WEB, protocol: UDP }), "-A -u 10.0.0.1:80 -s wlc\n");
  assert.equal(
    added({ ...WEB, protocol: SCTP }),
    "-A --sctp-service 10.0.0.1:80 -s wlc\n",
  );
});

test("IPv6 is written in brackets", () => {
  const ipv6 = parseAddress("2001:db8::5") ?? new Uint8Array(16);
  assert.equal(
    added({ family: INET6, protocol: TCP, address: ipv6, port: 80 }),
    "-A -t [2001:db8::5]:80 -s wlc\n",
  );
});

test("a firewall mark is written with its family", () => {
  assert.equal(added({ family: INET, firewallMark: 1 }), "-A -f 1 -s wlc\n");
  assert.equal(
    added({ family: INET6, firewallMark: 4 }),
    "-A -f 4 -6 -s wlc\n",
  );
});

test("a firewall mark of 32 bits is written as the original writes it", () => {
  const key = { family: INET, firewallMark: 4294967295 } as const;
  assert.equal(added(key), "-A -f -1 -s wlc\n");
});

test("persistence is written with its time, and with its mask if that tells clients together", () => {
  assert.equal(
    added(WEB, { flags: 3, timeoutSeconds: 360 }),
    "-A -t 10.0.0.1:80 -s wlc -p 360\n",
  );
  assert.equal(
    added(WEB, {
      flags: 3,
      timeoutSeconds: 300,
      netmask: address("255.255.255.0"),
    }),
    "-A -t 10.0.0.1:80 -s wlc -p 300 -M 255.255.255.0\n",
  );
  assert.equal(
    added(
      { family: INET6, firewallMark: 3 },
      { flags: 1, timeoutSeconds: 5, netmask: 64 },
    ),
    "-A -f 3 -6 -s wlc -p 5 -M 64\n",
  );
});

test("without persistence neither time nor mask is written", () => {
  assert.equal(
    added(WEB, { timeoutSeconds: 5, netmask: address("255.0.0.0") }),
    "-A -t 10.0.0.1:80 -s wlc\n",
  );
});

test("engine, one-packet scheduling and flags are written in this order", () => {
  assert.equal(
    added(
      { ...WEB, protocol: UDP },
      {
        scheduler: "sh",
        flags: 0x1f,
        timeoutSeconds: 5,
        persistenceEngine: "sip",
      },
    ),
    "-A -u 10.0.0.1:80 -s sh -p 5 --pe sip -o -b sh-fallback,sh-port\n",
  );
});

test("a persistence engine is written even without persistence", () => {
  assert.equal(
    added(WEB, { persistenceEngine: "sip" }),
    "-A -t 10.0.0.1:80 -s wlc --pe sip\n",
  );
});

test("a real server is written with its method and weight", () => {
  const line = (forwarding: number) =>
    serverOf(WEB, "10.1.1.2", 81, { forwarding, weight: 7 });
  const start = "-a -t 10.0.0.1:80 -r 10.1.1.2:81";
  assert.equal(line(0), `${start} -m -w 7\n`);
  assert.equal(line(2), `${start} -i -w 7 --tun-type ipip\n`);
  assert.equal(line(3), `${start} -g -w 7\n`);
});

test("a weight is written as a signed number", () => {
  assert.equal(
    serverOf(WEB, "10.1.1.2", 80, { weight: 0xffffffff }),
    "-a -t 10.0.0.1:80 -r 10.1.1.2:80 -g -w -1\n",
  );
});

test("a server on the director itself is written as direct routing", () => {
  assert.equal(
    serverOf(WEB, "127.0.0.1", 80, { forwarding: 1 }),
    "-a -t 10.0.0.1:80 -r 127.0.0.1:80 -g -w 1\n",
  );
});

test("thresholds are written where they are set", () => {
  assert.equal(
    serverOf(WEB, "10.1.1.2", 80, { upperThreshold: 10, lowerThreshold: 5 }),
    "-a -t 10.0.0.1:80 -r 10.1.1.2:80 -g -w 1 -x 10 -y 5\n",
  );
  assert.equal(
    serverOf(WEB, "10.1.1.2", 80, { upperThreshold: 10 }),
    "-a -t 10.0.0.1:80 -r 10.1.1.2:80 -g -w 1 -x 10\n",
  );
});

test("a tunnel is written with its port and checksum", () => {
  const tunnel = (type: number, port: number, flags: number) =>
    serverOf(WEB, "10.1.1.2", 80, {
      forwarding: 2,
      tunnel: { type, port, flags },
    })?.replace("-a -t 10.0.0.1:80 -r 10.1.1.2:80 -i -w 1 ", "");
  assert.equal(tunnel(1, 99, 0), "--tun-type gue --tun-port 99 --tun-nocsum\n");
  assert.equal(tunnel(1, 99, 1), "--tun-type gue --tun-port 99 --tun-csum\n");
  assert.equal(
    tunnel(1, 99, 2),
    "--tun-type gue --tun-port 99 --tun-remcsum\n",
  );
  assert.equal(tunnel(2, 0, 0), "--tun-type gre --tun-nocsum\n");
  assert.equal(tunnel(2, 0, 1), "--tun-type gre --tun-csum\n");
});

test("names are asked for with the service's protocol, which a firewall mark has not", () => {
  const asked: (number | undefined)[] = [];
  const name = (_: Uint8Array, port: number, protocol: number | undefined) => {
    asked.push(protocol);
    return `host:${port}`;
  };
  const servers = [serverEntry("10.1.1.1", 81)];
  const service = serviceEntry({ ...WEB, protocol: UDP }, {}, servers);
  assert.deepEqual(
    [...ruleLines(service, name)],
    ["-A -u host:80 -s wlc\n", "-a -u host:80 -r host:81 -g -w 1\n"],
  );
  assert.ok(asked.every((protocol) => protocol === UDP));
  asked.length = 0;
  const mark = { family: INET, firewallMark: 1 } as const;
  assert.equal([...ruleLines(serviceEntry(mark, {}, servers), name)].length, 2);
  assert.deepEqual(asked, [undefined]);
});
