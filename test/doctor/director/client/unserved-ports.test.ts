import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { TraceFacts } from "../../../../src/doctor/director/client/trace-step.js";
import { traceClient } from "../../../../src/doctor/director/client/trace.js";
import { parseIptablesSave } from "../../../../src/doctor/firewall/iptables-save.js";
import type { PacketSightings } from "../../../../src/doctor/packets/sightings.js";
import type { Connection } from "../../../../src/ipvs/connections.js";
import { INET } from "../../../../src/ipvs/address.js";
import {
  BACKUP,
  DIRECT_ROUTING,
  MASQUERADING,
  PERSISTENT,
  TCP,
  UDP,
  type ServiceWithServers,
} from "../../../../src/ipvs/model.js";
import {
  address,
  addressKey,
  serverEntry,
  serviceEntry,
} from "../../../fixtures/entries.js";
import { connectionTable } from "../../made-up-connections.js";
import { device, network, ownAddress, route } from "../../made-up-network.js";
import { sysctls } from "../../made-up.js";
import { seen } from "../../packets/made-up.js";

const CLIENT = "203.0.113.7";
const VIRTUAL = "192.0.2.1";
const MARKED = serviceEntry({ family: INET, firewallMark: 21 }, {}, [
  serverEntry("10.0.0.11", 0, { forwarding: DIRECT_ROUTING }),
]);
const RULES = [
  "[28:0] -A PREROUTING -d 192.0.2.1/32 -p tcp -m tcp --dport 21 -j MARK --set-xmark 0x15/0xffffffff",
  "[0:0] -A PREROUTING -d 192.0.2.1/32 -p tcp -m tcp --dport 10000:20000 -j MARK --set-xmark 0x15/0xffffffff",
];

function facts(
  table: readonly ServiceWithServers[] = [MARKED],
  change: Partial<TraceFacts> = {},
): TraceFacts {
  const text = `*mangle\n:PREROUTING ACCEPT [0:0]\n${RULES.join("\n")}\nCOMMIT\n`;
  return {
    table,
    allServices: table,
    network: network(
      [
        route(CLIENT, "unicast", 1, "192.0.2.254"),
        route(VIRTUAL, "local", 9),
        route("10.0.0.11", "unicast", 2),
      ],
      {
        devices: [device(1), device(2)],
        addresses: [
          ownAddress(1, "192.0.2.1/24"),
          ownAddress(2, "10.0.0.1/24"),
        ],
      },
    ),
    connections: connectionTable([]),
    sysctls: sysctls({ "net.ipv4.ip_forward": 1 }),
    firewall: {
      tables: parseIptablesSave(text, INET, "iptables"),
      unread: [],
    },
    daemons: [],
    ...change,
  };
}

function entry(clientPort: number, virtualPort: number): Connection {
  return {
    protocol: "TCP",
    client: address(CLIENT),
    clientPort,
    virtual: address(VIRTUAL),
    virtualPort,
    server: address("10.0.0.11"),
    serverPort: virtualPort,
    state: "ESTABLISHED",
    expiresSeconds: 899,
  };
}

/** A connection to a port that passes. */
const passing = (seconds: number, clientPort: number, port: number) =>
  ["S seq 100", ". seq 101 ack 501"].flatMap((words) => [
    `${seconds} 1 in ${CLIENT}:${clientPort} > ${VIRTUAL}:${port} ${words}`,
    `${seconds} 2 out ${CLIENT}:${clientPort} > ${VIRTUAL}:${port} ${words}`,
  ]);
/** A connection to a port that this machine resets. */
const refused = (seconds: number, clientPort: number, port: number) => [
  `${seconds} 1 in ${CLIENT}:${clientPort} > ${VIRTUAL}:${port} S seq 100`,
  `${seconds} 1 out ${VIRTUAL}:${port} > ${CLIENT}:${clientPort} R. ack 101`,
];
const login = passing(1, 40000, 21);

function trace(
  lines: readonly string[],
  given: TraceFacts = facts(),
  {
    connections = [entry(40000, 21)],
    sightings = {},
  }: {
    connections?: readonly Connection[];
    sightings?: Partial<PacketSightings>;
  } = {},
) {
  return traceClient(given, {
    client: address(CLIENT),
    seconds: 10,
    connections: connections.map((connection) => ({
      connection,
      use: "new",
      stateSeconds: 5,
    })),
    after: given.table,
    heard: [],
    packets: { sightings: seen(CLIENT, lines, sightings) },
  });
}

/** What is said of packets that no service takes, a line each. */
const said = (...given: Parameters<typeof trace>) =>
  trace(...given).steps.flatMap(({ step, state, text }) =>
    step === "packets" && text.includes("no service takes")
      ? [`${state} ${text}`]
      : [],
  );

suite("traceClient() of ports without a service", () => {
  test("traceClient() stops at data connections of FTP for which no rule sets the mark", () => {
    const ports = [33255, 55797, 50829, 34311, 32768, 60999, 41000];
    const { stopsAt, next } = trace([
      ...login,
      ...ports.flatMap((port, i) => refused(2 + i, 41000 + i, port)),
    ]);
    assert.equal(stopsAt?.step, "packets");
    assert.equal(
      stopsAt.text,
      'TCP 192.0.2.1: 7 new connections to ports 32768, 33255, 34311, 41000, 50829 and 2 more: no service takes them, and this machine resets them; the nearest rule that sets a mark of a service is rule 2 of chain PREROUTING (iptables, table mangle), "-d 192.0.2.1/32 -p tcp -m tcp --dport 10000:20000 -j MARK --set-xmark 0x15/0xffffffff", 0 packets: mark 21 for ports 10000:20000; a connection of the client to port 21 passes, so these are probably data connections of FTP, to ports for which no rule sets the mark: extend the ports of the rule, or give the FTP servers a range of passive ports within them (vsftpd: pasv_min_port and pasv_max_port; ProFTPD: PassivePorts; Pure-FTPd: -p)',
    );
    assert.deepEqual(
      next.map(({ on, command }) => `${on ?? ""}: ${command}`),
      ["the FTP servers: sysctl net.ipv4.ip_local_port_range"],
    );
  });

  test("traceClient() does not stop at ports that perhaps nobody has to serve", () => {
    // Nobody is logged in, or only later, or the port is no data port.
    for (const lines of [
      refused(2, 41000, 33255),
      [...passing(3, 40000, 21), ...refused(2, 41000, 33255)],
      [...login, ...refused(2, 41000, 443)],
    ]) {
      const connections: Connection[] = [];
      const { stopsAt, steps } = trace(lines, facts(), { connections });
      assert.equal(stopsAt, undefined);
      assert.match(
        steps.find(({ text }) => text.includes("no service takes"))?.text ?? "",
        /^TCP 192\.0\.2\.1: 1 new connection to port \d+: no service takes it, and this machine resets it; the nearest rule/,
      );
    }
    // Other data connections pass, or packets are missing.
    const data = [...login, ...refused(2, 41000, 33255)];
    for (const [lines, sightings] of [
      [[...data, ...passing(3, 40001, 12000)], {}],
      [data, { lost: 1 }],
    ] as const)
      assert.match(
        said(lines, facts(), { sightings }).join(),
        /^unknown .* to port 33255: no service takes it/,
      );
    // There was room for the resets, and not all of them are lost packets.
    const more = [41000, 41001, 41002].flatMap((port) =>
      refused(2, port, 33255),
    );
    for (const [lines, sightings] of [
      [data, { unkept: 1 }],
      [[...login, ...more], { lost: 1 }],
    ] as const)
      assert.match(said(lines, facts(), { sightings }).join(), /^stops /);
  });

  test("traceClient() says which protocol the service at a port is for", () => {
    const table = [
      serviceEntry(addressKey(UDP, VIRTUAL, 53), {}, [
        serverEntry("10.0.0.11", 53, { forwarding: MASQUERADING }),
      ]),
    ];
    assert.deepEqual(said(refused(2, 41000, 53), facts(table)), [
      "unknown TCP 192.0.2.1: 1 new connection to port 53: no service takes it, and this machine resets it; the service at this port is for UDP only",
    ]);
  });

  test("traceClient() tells ICMP errors and silence of this machine", () => {
    const table = [serviceEntry(addressKey(TCP, VIRTUAL, 80))];
    const open = `2 1 in ${CLIENT}:41000 > ${VIRTUAL}:81 S seq 100`;
    const error = `2 1 out ${VIRTUAL} > ${CLIENT} icmp port-unreachable about ${CLIENT}:41000 ${VIRTUAL}:81`;
    assert.match(
      said([open, error], facts(table)).join(),
      /^unknown .* to port 81: no service takes it, and this machine refuses it with ICMP errors \(port unreachable\)$/,
    );
    assert.match(
      said([open], facts(table)).join(),
      /^unknown .* and this machine does not answer it$/,
    );
    // Too early, or packets are missing
    for (const sightings of [{ ended: 4000 }, { lost: 1 }])
      assert.deepEqual(said([open], facts(table), { sightings }), []);
  });

  test("traceClient() says nothing of packets that something takes", () => {
    const at = (port: number, flags = 0) => [
      serviceEntry(addressKey(TCP, VIRTUAL, port), { flags }, [
        serverEntry("10.0.0.11", port, { forwarding: DIRECT_ROUTING }),
      ]),
    ];
    const data = refused(2, 41000, 33255);
    const backup = [
      { state: BACKUP, interface: "eth1", syncId: 0 },
    ] as unknown as TraceFacts["daemons"];
    for (const [lines, given] of [
      [data, facts(at(33255))],
      [data, facts(at(0, PERSISTENT))],
      [data, facts(at(21, PERSISTENT))],
      [data, facts([MARKED], { daemons: backup })],
      // A mark that a rule sets
      [refused(2, 41000, 12000), facts()],
      // A program of this machine
      [
        [
          `2 1 in ${CLIENT}:41000 > ${VIRTUAL}:22 S seq 100`,
          `2 1 out ${VIRTUAL}:22 > ${CLIENT}:41000 S. seq 7 ack 101`,
        ],
        facts(),
      ],
      // A connection that began earlier
      [
        [
          `2 1 in ${CLIENT}:41000 > ${VIRTUAL}:443 . seq 100`,
          `2 1 out ${VIRTUAL}:443 > ${CLIENT}:41000 R`,
        ],
        facts(),
      ],
      // An address that is no virtual address
      [
        [
          `2 1 in ${CLIENT}:41000 > 10.0.0.1:443 S seq 100`,
          `2 1 out 10.0.0.1:443 > ${CLIENT}:41000 R. ack 101`,
        ],
        facts(),
      ],
    ] as const)
      assert.deepEqual(said([...login, ...lines], given), []);
  });

  test("traceClient() explains refused data connections of a service with an address", () => {
    for (const [forwarding, kind] of [
      [MASQUERADING, "ftp-helper-missing"],
      [DIRECT_ROUTING, "ftp-not-persistent"],
    ] as const) {
      const table = [
        serviceEntry(addressKey(TCP, VIRTUAL, 21), {}, [
          serverEntry("10.0.0.11", 21, { forwarding }),
        ]),
      ];
      assert.match(
        said([...login, ...refused(2, 41000, 33255)], facts(table)).join(),
        new RegExp(
          `^stops .*; a connection of the client to port 21 passes, so these are probably data connections of FTP: 'ipvsadm doctor --explain ${kind}' says what they need$`,
        ),
      );
    }
  });
});
