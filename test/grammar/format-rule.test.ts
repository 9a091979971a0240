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

/** The line that adds the service. */
function added(key: ServiceKey, settings: Partial<ServiceSettings> = {}) {
  const [line] = ruleLines(serviceEntry(key, settings), formatEndpoint);
  return line;
}

/** The line that adds the server to a service. */
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

test("ruleLines() writes protocol, address, port and scheduler of a service", () => {
  assert.equal(added(WEB), "-A -t 10.0.0.1:80 -s wlc\n");
  assert.equal(added({ ...WEB, protocol: UDP }), "-A -u 10.0.0.1:80 -s wlc\n");
  assert.equal(
    added({ ...WEB, protocol: SCTP }),
    "-A --sctp-service 10.0.0.1:80 -s wlc\n",
  );
});

test("ruleLines() writes IPv6 in brackets", () => {
  const ipv6 = parseAddress("2001:db8::5") ?? new Uint8Array(16);
  assert.equal(
    added({ family: INET6, protocol: TCP, address: ipv6, port: 80 }),
    "-A -t [2001:db8::5]:80 -s wlc\n",
  );
});

test("ruleLines() writes a firewall mark with its family", () => {
  assert.equal(added({ family: INET, firewallMark: 1 }), "-A -f 1 -s wlc\n");
  assert.equal(
    added({ family: INET6, firewallMark: 4 }),
    "-A -f 4 -6 -s wlc\n",
  );
});

test("ruleLines() writes a 32-bit firewall mark like the original", () => {
  const key = { family: INET, firewallMark: 4294967295 } as const;
  assert.equal(added(key), "-A -f -1 -s wlc\n");
});

test("ruleLines() writes persistence with its timeout, and with a netmask that is not the default", () => {
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

test("ruleLines() writes neither timeout nor netmask without persistence", () => {
  assert.equal(
    added(WEB, { timeoutSeconds: 5, netmask: address("255.0.0.0") }),
    "-A -t 10.0.0.1:80 -s wlc\n",
  );
});

test("ruleLines() writes persistence engine, one-packet scheduling and flags in this order", () => {
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

test("ruleLines() writes a persistence engine even without persistence", () => {
  assert.equal(
    added(WEB, { persistenceEngine: "sip" }),
    "-A -t 10.0.0.1:80 -s wlc --pe sip\n",
  );
});

test("ruleLines() writes forwarding method and weight of a real server", () => {
  const line = (forwarding: number) =>
    serverOf(WEB, "10.1.1.2", 81, { forwarding, weight: 7 });
  const start = "-a -t 10.0.0.1:80 -r 10.1.1.2:81";
  assert.equal(line(0), `${start} -m -w 7\n`);
  assert.equal(line(2), `${start} -i -w 7 --tun-type ipip\n`);
  assert.equal(line(3), `${start} -g -w 7\n`);
});

test("ruleLines() writes the weight as a signed number", () => {
  assert.equal(
    serverOf(WEB, "10.1.1.2", 80, { weight: 0xffffffff }),
    "-a -t 10.0.0.1:80 -r 10.1.1.2:80 -g -w -1\n",
  );
});

test("ruleLines() writes a local server as direct routing", () => {
  assert.equal(
    serverOf(WEB, "127.0.0.1", 80, { forwarding: 1 }),
    "-a -t 10.0.0.1:80 -r 127.0.0.1:80 -g -w 1\n",
  );
});

test("ruleLines() writes thresholds that are not 0", () => {
  assert.equal(
    serverOf(WEB, "10.1.1.2", 80, { upperThreshold: 10, lowerThreshold: 5 }),
    "-a -t 10.0.0.1:80 -r 10.1.1.2:80 -g -w 1 -x 10 -y 5\n",
  );
  assert.equal(
    serverOf(WEB, "10.1.1.2", 80, { upperThreshold: 10 }),
    "-a -t 10.0.0.1:80 -r 10.1.1.2:80 -g -w 1 -x 10\n",
  );
});

test("ruleLines() writes port and checksum of a tunnel", () => {
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

test("ruleLines() asks for names with the service's protocol, and without one for a firewall mark", () => {
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
