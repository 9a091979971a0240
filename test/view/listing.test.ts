import assert from "node:assert/strict";
import { test } from "node:test";
import { INET, INET6 } from "../../src/ipvs/address.js";
import {
  SCTP,
  TCP,
  UDP,
  type EndpointName,
  type ServerSettings,
  type ServiceKey,
  type ServiceSettings,
} from "../../src/ipvs/model.js";
import { ByteBuilder } from "../../src/text/text-builder.js";
import { writeCounters } from "../../src/view/counters.js";
import {
  daemonLine,
  SERVER_COLUMNS,
  timeoutLine,
  titleLines,
  versionLine,
  writeService,
} from "../../src/view/listing.js";
import { address, serverEntry, serviceEntry } from "../fixtures/entries.js";

/*
 * The original, ipvsadm 1.31, printed these lines, unless a comment says otherwise. All spaces
 * count, including those at the end.
 */

type Format = Parameters<typeof titleLines>[0];

const WEB: ServiceKey = {
  family: INET,
  protocol: TCP,
  address: address("10.0.0.1"),
  port: 80,
};

function lines(
  service: ReturnType<typeof serviceEntry>,
  format: Format,
  name?: EndpointName,
): string[] {
  const out = new ByteBuilder();
  if (format === "stats" || format === "rate")
    writeCounters(out, service, { exact: false, name, format });
  else writeService(out, service, SERVER_COLUMNS[format], name);
  return out.take().split(/(?<=\n)/);
}

function serviceLine(
  key: ServiceKey,
  settings: Partial<ServiceSettings> = {},
  format: Format = "plain",
) {
  return lines(serviceEntry(key, settings), format)[0];
}

function serverLine(
  server: ReturnType<typeof serverEntry>,
  format: Format = "plain",
  name?: EndpointName,
) {
  return lines(serviceEntry(WEB, {}, [server]), format, name)[1];
}

test("versionLine() contains the version and the table size of the module", () => {
  assert.equal(
    versionLine({ version: 0x010201, connectionTableSize: 4096 }),
    "IP Virtual Server version 1.2.1 (size=4096)\n",
  );
});

test("titleLines() returns the titles of each format", () => {
  const titles: Record<Format, string> = {
    plain:
      "Prot LocalAddress:Port Scheduler Flags\n" +
      "  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n",
    "tun-info":
      "Prot LocalAddress:Port Scheduler Flags\n" +
      "  -> RemoteAddress:Port           Forward TunnelInfo    Weight ActiveConn InActConn\n",
    stats:
      "Prot LocalAddress:Port               Conns   InPkts  OutPkts  InBytes OutBytes\n" +
      "  -> RemoteAddress:Port\n",
    rate:
      "Prot LocalAddress:Port                 CPS    InPPS   OutPPS    InBPS   OutBPS\n" +
      "  -> RemoteAddress:Port\n",
    thresholds:
      "Prot LocalAddress:Port            Uthreshold Lthreshold ActiveConn InActConn \n" +
      "  -> RemoteAddress:Port\n",
    "persistent-conn":
      "Prot LocalAddress:Port            Weight    PersistConn ActiveConn InActConn \n" +
      "  -> RemoteAddress:Port\n",
  };
  for (const [format, text] of Object.entries(titles))
    assert.equal(titleLines(format as Format), text);
});

test("writeService() writes protocol, name and scheduler of a service", () => {
  assert.equal(serviceLine(WEB), "TCP  10.0.0.1:80 wlc\n");
  assert.equal(
    serviceLine({ ...WEB, protocol: UDP, port: 53 }),
    "UDP  10.0.0.1:53 wlc\n",
  );
  assert.equal(
    serviceLine({ ...WEB, protocol: SCTP, port: 59 }),
    "SCTP 10.0.0.1:59 wlc\n",
  );
  const ipv6 = { family: INET6, address: address("2001:db8::5") } as const;
  assert.equal(
    serviceLine({ ...ipv6, protocol: TCP, port: 80 }),
    "TCP  [2001:db8::5]:80 wlc\n",
  );
});

test("writeService() writes the number of a firewall mark", () => {
  const ipv4 = { family: INET, firewallMark: 1 } as const;
  assert.equal(serviceLine(ipv4, { flags: 6 }), "FWM  1 wlc ops\n");
  const ipv6 = { family: INET6, firewallMark: 4 } as const;
  assert.equal(
    serviceLine(ipv6, { flags: 3, timeoutSeconds: 360 }),
    "FWM  4 IPv6 wlc persistent 360\n",
  );
  // A signed number; not recorded.
  const last = { family: INET, firewallMark: 4294967295 } as const;
  assert.equal(serviceLine(last), "FWM  -1 wlc\n");
});

test("writeService() writes settings that differ from the defaults after the scheduler", () => {
  const udp: ServiceKey = { ...WEB, protocol: UDP, port: 55 };
  const sip = { persistenceEngine: "sip", scheduler: "rr" };
  assert.equal(
    serviceLine(udp, { ...sip, flags: 7, timeoutSeconds: 5 }),
    "UDP  10.0.0.1:55 rr persistent 5 pe sip ops\n",
  );
  assert.equal(
    serviceLine(
      { family: INET6, firewallMark: 3 },
      { flags: 3, timeoutSeconds: 360, netmask: 64 },
    ),
    "FWM  3 IPv6 wlc persistent 360 mask 64\n",
  );
  const netmask = address("255.255.255.0");
  assert.equal(
    serviceLine(
      { family: INET, firewallMark: 5 },
      { flags: 3, timeoutSeconds: 360, netmask },
    ),
    "FWM  5 wlc persistent 360 mask 255.255.255.0\n",
  );
});

test("writeService() writes scheduler flags in parentheses", () => {
  const flagged = (scheduler: string, flags: number) =>
    serviceLine(WEB, { scheduler, flags: 2 | flags });
  assert.equal(flagged("sh", 0x10), "TCP  10.0.0.1:80 sh (sh-port)\n");
  assert.equal(
    flagged("mh", 0x18),
    "TCP  10.0.0.1:80 mh (mh-fallback,mh-port)\n",
  );
  assert.equal(flagged("rr", 0x28), "TCP  10.0.0.1:80 rr (flag-1,flag-3)\n");
});

test("writeService() writes engine, timeout and netmask only with persistence", () => {
  assert.equal(
    serviceLine(WEB, {
      persistenceEngine: "sip",
      timeoutSeconds: 5,
      netmask: address("255.0.0.0"),
    }),
    "TCP  10.0.0.1:80 wlc\n",
  );
});

test("the formats without counters have the same line for a service", () => {
  for (const format of ["tun-info", "thresholds", "persistent-conn"] as const)
    assert.equal(serviceLine(WEB, {}, format), "TCP  10.0.0.1:80 wlc\n");
});

test("writeService() writes name, forwarding method, weight and connections of a real server", () => {
  const line = (
    text: string,
    port: number,
    forwarding: number,
    weight: number,
  ) => serverLine(serverEntry(text, port, { forwarding, weight }));
  assert.equal(
    line("10.1.1.2", 80, 3, 1),
    "  -> 10.1.1.2:80                  Route   1      0          0         \n",
  );
  assert.equal(
    line("10.1.1.2", 81, 0, 7),
    "  -> 10.1.1.2:81                  Masq    7      0          0         \n",
  );
  assert.equal(
    line("10.1.1.3", 80, 2, 65535),
    "  -> 10.1.1.3:80                  Tunnel  65535  0          0         \n",
  );
  assert.equal(
    line("10.1.1.109", 80, 3, 2147483647),
    "  -> 10.1.1.109:80                Route   2147483647 0          0         \n",
  );
});

test("writeService() writes the weight as a signed number", () => {
  // Not recorded.
  const server = serverEntry("10.1.1.2", 80, { weight: 0xffffffff });
  assert.equal(
    serverLine(server),
    "  -> 10.1.1.2:80                  Route   -1     0          0         \n",
  );
  assert.equal(
    serverLine(server, "persistent-conn"),
    "  -> 10.1.1.2:80                  -1        0           0          0         \n",
  );
});

test("writeService() writes Local for a server on the director itself", () => {
  // Not recorded: the kernel of the recording reports it only for connections.
  assert.equal(
    serverLine(serverEntry("127.0.0.1", 80, { forwarding: 1 })),
    "  -> 127.0.0.1:80                 Local   1      0          0         \n",
  );
});

test("writeService() pads connection counts to ten columns, and moves the rest to the right if they are wider", () => {
  // Not recorded.
  assert.equal(
    serverLine({
      ...serverEntry("10.1.1.2", 80),
      activeConnections: 4294967295,
      inactiveConnections: 12,
    }),
    "  -> 10.1.1.2:80                  Route   1      4294967295 12        \n",
  );
});

test("writeService() truncates the name of an IPv4 server to 28 columns, but not that of an IPv6 server", () => {
  const named = (text: string, port: number, forwarding: number) =>
    serverLine(serverEntry(text, port, { forwarding }), "plain", (bytes) =>
      bytes.length === 4
        ? "real-server-with-a-long-name.example.org:8888"
        : "[2001:db8:1111:2222:3333:4444:5555:6666]:8888",
    );
  assert.equal(
    named("10.1.1.9", 8888, 0),
    "  -> real-server-with-a-long-name Masq    1      0          0         \n",
  );
  assert.equal(
    named("2001:db8::8", 80, 0),
    "  -> [2001:db8:1111:2222:3333:4444:5555:6666]:8888 Masq    1      0          0         \n",
  );
});

test("writeService() truncates the name of an IPv4 service to 28 columns, but not that of an IPv6 service", () => {
  const named = (key: ServiceKey, name: string) =>
    lines(serviceEntry(key), "plain", () => name)[0];
  assert.equal(
    named(WEB, "a-very-long-host-name-for-this-service.example.net:http"),
    "TCP  a-very-long-host-name-for-th wlc\n",
  );
  const ipv6 = { family: INET6, address: address("2001:db8::8") } as const;
  assert.equal(
    named(
      { ...ipv6, protocol: TCP, port: 80 },
      "[six.example.org-with-a-long-long-long-name-for-six]:http",
    ),
    "TCP  [six.example.org-with-a-long-long-long-name-for-six]:http wlc\n",
  );
});

test("writeService() writes port and checksum of a tunnel", () => {
  const shown = (settings: Partial<ServerSettings>) =>
    serverLine(serverEntry("10.7.7.2", 80, settings), "tun-info");
  const tunnel = (type: number, port: number, flags: number) =>
    shown({ forwarding: 2, tunnel: { type, port, flags } });
  const line = (method: string, info: string) =>
    `  -> 10.7.7.2:80                  ${method} ${info} 1      0          0         \n`;
  assert.equal(shown({ forwarding: 3 }), line("Route  ", "n/a          "));
  assert.equal(shown({ forwarding: 0 }), line("Masq   ", "n/a          "));
  assert.equal(tunnel(0, 0, 0), line("Tunnel ", "ipip         "));
  assert.equal(tunnel(1, 99, 0), line("Tunnel ", "gue:99:-c    "));
  assert.equal(tunnel(1, 99, 1), line("Tunnel ", "gue:99:+c    "));
  assert.equal(tunnel(1, 99, 2), line("Tunnel ", "gue:99:r+c   "));
  assert.equal(tunnel(2, 0, 0), line("Tunnel ", "gre:-c       "));
  assert.equal(tunnel(2, 0, 1), line("Tunnel ", "gre:+c       "));
});

test("writeService() writes thresholds", () => {
  const shown = (upperThreshold: number, lowerThreshold: number) =>
    serverLine(
      serverEntry("10.1.1.6", 80, { upperThreshold, lowerThreshold }),
      "thresholds",
    );
  assert.equal(
    shown(10, 5),
    "  -> 10.1.1.6:80                  10         5          0          0         \n",
  );
  assert.equal(
    shown(2147483647, 2147483647),
    "  -> 10.1.1.6:80                  2147483647 2147483647 0          0         \n",
  );
});

test("writeService() writes persistent connections", () => {
  const server = serverEntry("10.1.1.3", 80, { weight: 65535 });
  assert.equal(
    serverLine(server, "persistent-conn"),
    "  -> 10.1.1.3:80                  65535     0           0          0         \n",
  );
  assert.equal(
    serverLine({ ...server, persistentConnections: 42 }, "persistent-conn"),
    "  -> 10.1.1.3:80                  65535     42          0          0         \n",
  );
});

test("timeoutLine() writes the timeouts", () => {
  assert.equal(
    timeoutLine({ tcpSeconds: 900, tcpFinSeconds: 120, udpSeconds: 300 }),
    "Timeout (tcp tcpfin udp): 900 120 300\n",
  );
});

const DAEMON = { state: 1, multicastInterface: "lo", syncId: 5 } as const;

test("daemonLine() writes a sync daemon", () => {
  const full = {
    ...DAEMON,
    maximumLength: 1200,
    multicastGroup: address("224.0.0.9"),
    multicastPort: 9000,
    multicastTtl: 5,
  };
  assert.equal(
    daemonLine(full),
    "master sync daemon (mcast=lo, syncid=5, maxlen=1200, group=224.0.0.9, port=9000, ttl=5)\n",
  );
  assert.equal(
    daemonLine({ ...full, state: 2, multicastGroup: address("ff02::9") }),
    "backup sync daemon (mcast=lo, syncid=5, maxlen=1200, group=ff02::9, port=9000, ttl=5)\n",
  );
});

test("daemonLine() writes fewer settings before Linux 4.3", () => {
  assert.equal(daemonLine(DAEMON), "master sync daemon (mcast=lo, syncid=5)\n");
});
