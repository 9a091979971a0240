import assert from "node:assert/strict";
import { test } from "node:test";
import { ftpSteps } from "../../../../src/doctor/director/client/ftp.js";
import type { TraceFacts } from "../../../../src/doctor/director/client/trace-step.js";
import { ftpHelper } from "../../../../src/doctor/director/table/ftp-helper.js";
import { ftpMarks } from "../../../../src/doctor/director/table/ftp-marks.js";
import { ftpPersistence } from "../../../../src/doctor/director/table/ftp-persistence.js";
import { parseIptablesSave } from "../../../../src/doctor/firewall/iptables-save.js";
import type { Facts } from "../../../../src/doctor/facts.js";
import type { Connection } from "../../../../src/ipvs/connections.js";
import { INET } from "../../../../src/ipvs/address.js";
import {
  BACKUP,
  DIRECT_ROUTING,
  LOCAL_NODE,
  MASQUERADING,
  PERSISTENT,
  TCP,
  TUNNELING,
  UDP,
  type ServiceWithServers,
} from "../../../../src/ipvs/model.js";
import {
  address,
  addressKey,
  serverEntry,
  serviceEntry,
} from "../../../fixtures/entries.js";
import { connectionGroup, connectionTable } from "../../made-up-connections.js";
import { network } from "../../made-up-network.js";
import { sysctls, told } from "../../made-up.js";

const ABSENT = { module: "absent", ports: [] } as const;

/** A TCP service at 192.0.2.1 with a real server at 192.0.2.10. */
function service(
  forwarding: number,
  { port = 21, serverPort = 21, flags = 0, weight = 1 } = {},
): ServiceWithServers {
  return serviceEntry(addressKey(TCP, "192.0.2.1", port), { flags }, [
    serverEntry("192.0.2.10", serverPort, { forwarding, weight }),
  ]);
}

/** Connections of the real server at a port of the virtual address. */
function connectionsAt(virtualPort: number, state: string, count = 1) {
  const seconds = Array.from({ length: count }, () => 60);
  const serverPort = virtualPort;
  return connectionGroup({ [state]: seconds }, { virtualPort, serverPort });
}

function factsOf(table: readonly ServiceWithServers[], change: Facts = {}) {
  const facts = { table, allServices: table, daemons: [], ftpHelper: ABSENT };
  return { ...facts, ...change };
}

const helped = (...given: Parameters<typeof factsOf>) =>
  ftpHelper.examine(factsOf(...given));
const persisted = (...given: Parameters<typeof factsOf>) =>
  ftpPersistence.examine(factsOf(...given));

const LOAD = [
  "modprobe ip_vs_ftp",
  "echo ip_vs_ftp >/etc/modules-load.d/ip_vs_ftp.conf",
];

test("ftpHelper: a masqueraded service at port 21 needs ip_vs_ftp, if the module does not handle the port", () => {
  const table = [service(MASQUERADING)];
  const [finding, ...others] = helped(table);
  assert.deepEqual(others, []);
  assert.ok(finding);
  assert.deepEqual(told(finding), [
    "ftp-helper-missing tcp/192.0.2.1:21",
    ...LOAD,
  ]);
  assert.equal(
    finding.seen,
    "the module ip_vs_ftp is not loaded, and its servers are masqueraded: if it is for FTP, clients can log in and get no file",
  );
  assert.equal(finding.certainty, "likely");
  const ftpHelper = { module: "loaded", ports: [21] } as const;
  assert.deepEqual(helped(table, { ftpHelper }), []);
});

test("ftpHelper: nothing is reported where ip_vs_ftp has no part", () => {
  for (const other of [
    service(DIRECT_ROUTING),
    service(TUNNELING),
    service(LOCAL_NODE),
    service(MASQUERADING, { weight: 0 }),
    service(MASQUERADING, { flags: PERSISTENT }),
    service(MASQUERADING, { port: 80, serverPort: 80 }),
    service(MASQUERADING, { port: 0, flags: PERSISTENT }),
    serviceEntry(addressKey(UDP, "192.0.2.1", 21), {}, [
      serverEntry("192.0.2.10", 21, { forwarding: MASQUERADING }),
    ]),
    serviceEntry({ family: INET, firewallMark: 7 }, {}, [
      serverEntry("192.0.2.10", 21, { forwarding: MASQUERADING }),
    ]),
  ])
    assert.deepEqual(helped([other]), []);
  assert.deepEqual(
    helped([service(MASQUERADING)], {
      daemons: [
        { state: BACKUP, interface: "eth1", syncId: 0 },
      ] as unknown as Facts["daemons"],
    }),
    [],
  );
});

const ELSEWHERE = [
  serviceEntry({ family: INET, firewallMark: 7 }, { flags: PERSISTENT }, [
    serverEntry("192.0.2.10", 0, { forwarding: MASQUERADING }),
  ]),
];
const AT_DATA_PORTS = [40001, 40002].map((port) =>
  service(MASQUERADING, { port, serverPort: port }),
);

test("ftpHelper, ftpPersistence: services that can get the data connections are a way of their own", () => {
  for (const more of [ELSEWHERE, AT_DATA_PORTS]) {
    assert.deepEqual(helped([service(MASQUERADING), ...more]), []);
    assert.deepEqual(persisted([service(DIRECT_ROUTING), ...more]), []);
  }
  const [one] = AT_DATA_PORTS;
  assert.ok(one);
  assert.equal(helped([service(MASQUERADING), one]).length, 1);
  assert.equal(persisted([service(DIRECT_ROUTING), one]).length, 1);
});

test("ftpHelper, ftpPersistence: a firewall mark is a way only if rules set it for ports of data connections", () => {
  const found = (rule: string) => {
    const tables = parseIptablesSave(
      `*mangle\n:PREROUTING ACCEPT [0:0]\n[0:0] -A PREROUTING ${rule} -j MARK --set-xmark 0x7/0xffffffff\nCOMMIT\n`,
      INET,
      "iptables",
    );
    const firewall = { tables, unread: [] };
    return [
      ...helped([service(MASQUERADING), ...ELSEWHERE], { firewall }),
      ...persisted([service(DIRECT_ROUTING), ...ELSEWHERE], { firewall }),
    ].length;
  };
  for (const rule of [
    "-d 192.0.2.1/32 -p tcp -m tcp --dport 80",
    "-d 192.0.2.9/32",
    "-d 192.0.2.1/32 -p udp",
    "-d 192.0.2.1/32 -p tcp -m multiport --dports 80,443",
  ])
    assert.equal(found(rule), 2, rule);
  for (const rule of [
    "-d 192.0.2.1/32 -p tcp",
    "-d 192.0.2.1/32 -p tcp -m multiport --dports 21,30000:30100",
    "-p tcp -m tcp --dport 30000:30100",
  ])
    assert.equal(found(rule), 0, rule);
});

test("ftpHelper, ftpPersistence: the evidence is that clients are logged in without data connections", () => {
  const evidence = (...groups: ReturnType<typeof connectionsAt>[]) =>
    [
      ...helped([service(MASQUERADING)], {
        connections: connectionTable(groups),
      }),
      ...persisted([service(DIRECT_ROUTING)], {
        connections: connectionTable(groups),
      }),
    ].map((finding) => finding.evidence);
  const none =
    "2 client connections are open at port 21, and the connection table has no data connection";
  const control = connectionsAt(21, "ESTABLISHED", 2);
  assert.deepEqual(evidence(control), [[none], [none]]);
  assert.deepEqual(
    evidence(
      control,
      connectionsAt(40001, "SYN_RECV"),
      connectionsAt(20, "LISTEN"),
    ),
    [[none], [none]],
  );
  assert.deepEqual(evidence(control, connectionsAt(40001, "TIME_WAIT")), [
    [],
    [],
  ]);
  assert.deepEqual(evidence(connectionsAt(21, "TIME_WAIT")), [[], []]);
});

test("ftpHelper: a server at port 21 behind another port needs the parameter ports, with all ports that matter", () => {
  const table = [
    service(MASQUERADING, { port: 2121 }),
    serviceEntry(addressKey(TCP, "192.0.2.2", 21), {}, [
      serverEntry("192.0.2.11", 21, { forwarding: MASQUERADING }),
    ]),
  ];
  const loaded = (ports: number[]) => ({
    ftpHelper: { module: "loaded" as const, ports },
  });
  const commands = (change: Facts) =>
    helped(table, change).map((finding) => told(finding).slice(1));
  const keep = [
    "echo options ip_vs_ftp ports=21,2121 >/etc/modprobe.d/ip_vs_ftp.conf",
    "modprobe ip_vs_ftp ports=21,2121",
    "echo ip_vs_ftp >/etc/modules-load.d/ip_vs_ftp.conf",
  ];
  // The other service turns connection tracking on.
  assert.deepEqual(commands({}), [keep, keep]);
  assert.deepEqual(commands(loaded([21])), [["rmmod ip_vs_ftp", ...keep]]);
  const [finding] = helped(table, loaded([21]));
  assert.match(
    finding?.seen ?? "",
    /^ip_vs_ftp handles port 21 and not port 2121, /,
  );
  assert.deepEqual(commands(loaded([21, 2121])), []);
  assert.deepEqual(
    helped([service(MASQUERADING)], loaded([8021])).map(
      (one) => told(one).slice(1)[1],
    ),
    ["echo options ip_vs_ftp ports=21,8021 >/etc/modprobe.d/ip_vs_ftp.conf"],
  );
});

test("ftpHelper: at other ports than 21 connection tracking must be on", () => {
  const table = [service(MASQUERADING, { port: 2121 })];
  const rule = (text: string) => ({
    firewall: {
      tables: parseIptablesSave(
        `*mangle\n:FORWARD ACCEPT [0:0]\n[0:0] -A FORWARD ${text}\nCOMMIT\n`,
        INET,
        "iptables-legacy",
      ),
      unread: [],
    },
  });
  const last = (...given: Parameters<typeof factsOf>) =>
    helped(...given)[0]?.fix.at(-1)?.command;
  const loads = "echo ip_vs_ftp >/etc/modules-load.d/ip_vs_ftp.conf";
  const track =
    "-t mangle -A FORWARD -p tcp --sport 2121 -m conntrack --ctstate NEW";
  assert.equal(last(table), `iptables ${track}`);
  assert.equal(
    last(table, rule("-p tcp -j ACCEPT")),
    `iptables-legacy ${track}`,
  );
  for (const text of [
    "-m conntrack --ctstate NEW",
    "-m state ! --state NEW -j DROP",
    "-j CONNMARK --restore-mark",
  ])
    assert.equal(last(table, rule(text)), loads, text);
  assert.equal(last([...table, service(MASQUERADING)]), loads);
});

test("ftpHelper: a module that cannot be loaded has no command", () => {
  const table = [service(MASQUERADING)];
  const [built] = helped(table, {
    ftpHelper: { module: "built in", ports: [2121] },
  });
  assert.deepEqual(built?.fix, []);
  assert.match(built.cure ?? "", /ip_vs_ftp\.ports=21,2121 /);
  const [absent] = helped(table, {
    available: new Map([["ip_vs_ftp", "absent" as const]]),
  });
  assert.deepEqual(absent?.fix, []);
  assert.match(absent.cure ?? "", /linux-modules-extra/);
  const [loadable] = helped(table, {
    available: new Map([["ip_vs_ftp", "loadable" as const]]),
  });
  assert.equal(loadable?.fix.length, 2);
});

test("ftpPersistence: an empty netmask would make all clients one", () => {
  const empty = Uint8Array.of(0, 0, 0, 0);
  const { settings, ...others } = service(DIRECT_ROUTING);
  const given = { ...others, settings: { ...settings, netmask: empty } };
  const [finding] = persisted([given]);
  assert.ok(finding);
  assert.deepEqual(told(finding).slice(1), [
    "ipvsadm -E -t 192.0.2.1:21 -s wlc -p 300",
  ]);
});

test("ftpPersistence: FTP by direct routing and tunneling needs persistence", () => {
  for (const [forwarding, name] of [
    [DIRECT_ROUTING, "direct routing"],
    [TUNNELING, "tunneling"],
  ] as const) {
    const [finding, ...others] = persisted([service(forwarding)]);
    assert.deepEqual(others, []);
    assert.ok(finding);
    assert.deepEqual(told(finding), [
      "ftp-not-persistent tcp/192.0.2.1:21",
      "ipvsadm -E -t 192.0.2.1:21 -s wlc -p 300",
    ]);
    assert.equal(
      finding.seen,
      `its servers have ${name}, and it is not persistent: if it is for FTP, clients can log in and get no file`,
    );
    assert.equal(finding.certainty, "likely");
  }
  for (const other of [
    service(DIRECT_ROUTING, { flags: PERSISTENT }),
    service(DIRECT_ROUTING, { weight: 0 }),
    service(DIRECT_ROUTING, { port: 80, serverPort: 80 }),
    service(MASQUERADING),
    service(LOCAL_NODE),
  ])
    assert.deepEqual(persisted([other]), []);
});

/** What `doctor --client` says of a client that logs in. */
function traced(one: ServiceWithServers, change: Partial<TraceFacts> = {}) {
  const connection = {
    protocol: "TCP",
    client: address("198.51.100.7"),
    clientPort: 40000,
    virtual: address("192.0.2.1"),
    virtualPort: 21,
    server: address("192.0.2.10"),
    serverPort: 21,
    state: "ESTABLISHED",
    expiresSeconds: 899,
  } as Connection;
  const steps = (use: "new" | "idle") =>
    ftpSteps(
      {
        table: [one],
        allServices: [one],
        network: network(),
        connections: connectionTable(),
        sysctls: sysctls({}),
        firewall: { tables: [], unread: [] },
        daemons: [],
        ftpHelper: ABSENT,
        ...change,
      },
      {
        client: address("198.51.100.7"),
        seconds: 5,
        connections: [{ connection, use, stateSeconds: 5 }],
        after: [one],
        heard: [],
      },
    ).map(({ state, text }) => `${state} ${text}`);
  assert.deepEqual(steps("idle"), []);
  return steps("new");
}

test("ftpSteps() says that a client that logs in perhaps gets no file", () => {
  assert.deepEqual(traced(service(MASQUERADING)), [
    "unknown tcp/192.0.2.1:21: if it is for FTP, the client can log in and gets no file: the module ip_vs_ftp is not loaded. 'ipvsadm doctor' prints the fix",
  ]);
  assert.deepEqual(traced(service(DIRECT_ROUTING)), [
    "unknown tcp/192.0.2.1:21: if it is for FTP, the client can log in and gets no file: its servers have direct routing, and it is not persistent. 'ipvsadm doctor' prints the fix",
  ]);
  assert.deepEqual(
    traced(service(MASQUERADING), {
      ftpHelper: { module: "loaded", ports: [21] },
    }),
    [],
  );
  assert.deepEqual(traced(service(MASQUERADING), { ftpHelper: undefined }), []);
});

/** What is found of mark 7 with these rules, `PACKETS MATCH` each. */
function unmatched(
  rules: readonly string[],
  change: Facts = {},
  forwarding = DIRECT_ROUTING,
) {
  const lines = rules.map((rule) => {
    const [packets = "", match = ""] = rule.split(/ (.*)/);
    return `[${packets}:0] -A PREROUTING ${match} -j MARK --set-xmark 0x7/0xffffffff\n`;
  });
  const text = `*mangle\n:PREROUTING ACCEPT [0:0]\n${lines.join("")}COMMIT\n`;
  const marked = serviceEntry({ family: INET, firewallMark: 7 }, {}, [
    serverEntry("192.0.2.10", 0, { forwarding }),
  ]);
  const tables = parseIptablesSave(text, INET, "iptables");
  const firewall = { tables, unread: [] };
  return ftpMarks.examine(factsOf([marked], { firewall, ...change }));
}

const LOGINS = "84 -d 192.0.2.1/32 -p tcp -m tcp --dport 21";
const NO_DATA = "0 -d 192.0.2.1/32 -p tcp -m tcp --dport 10000:20000";

test("ftpMarks: the rule for logins matches packets, and the one for data connections none", () => {
  const [finding, ...others] = unmatched([LOGINS, NO_DATA]);
  assert.deepEqual(others, []);
  assert.ok(finding);
  assert.deepEqual(told(finding), ["ftp-ports-unmatched fwm/7"]);
  assert.equal(finding.certainty, "likely");
  assert.equal(
    finding.seen,
    "the rule for port 21 has matched 84 packets, and none went to ports 10000:20000: clients perhaps log in and get no file, because the FTP servers use other ports for data",
  );
  assert.match(
    finding.evidence?.[1] ?? "",
    /^rule 2 of chain PREROUTING .*, 0 packets, sets mark 7$/,
  );
  const control = connectionTable([connectionsAt(21, "ESTABLISHED", 2)]);
  assert.equal(
    unmatched([LOGINS, NO_DATA], { connections: control }).length,
    1,
  );
});

test("ftpMarks: nothing is reported if data connections come, or need no mark, or nobody came", () => {
  const start = "-d 192.0.2.1/32 -p tcp -m tcp --dport";
  for (const rules of [
    [LOGINS, `3 ${start} 10000:20000`],
    // A new rule beside one that matches
    [LOGINS, `3 ${start} 10000:20000`, `0 ${start} 32768:60999`],
    [`24 ${start} 21`, NO_DATA],
    // Active data connections
    [`84 ${start} 20:21`, NO_DATA],
    [LOGINS, `9 ${start} 20`, NO_DATA],
    // The same rule, all packets, or no rule for data
    ["84 -p tcp -m multiport --dports 21,10000:20000"],
    [LOGINS, NO_DATA, "0 -d 192.0.2.1/32"],
    [LOGINS],
    // Another service
    [`84 ${start} 80`, NO_DATA],
    [LOGINS, `0 ${start} 80`, NO_DATA],
  ])
    assert.deepEqual(unmatched(rules), [], rules.join());
  const rules = [LOGINS, NO_DATA];
  for (const port of [20, 33255])
    assert.deepEqual(
      unmatched(rules, {
        connections: connectionTable([connectionsAt(port, "TIME_WAIT")]),
      }),
      [],
    );
  const ftpHelper = { module: "loaded", ports: [21] } as const;
  assert.deepEqual(unmatched(rules, { ftpHelper }, MASQUERADING), []);
  assert.equal(unmatched(rules, { ftpHelper }).length, 1);
  assert.equal(unmatched(rules, {}, MASQUERADING).length, 1);
  const backup = { state: BACKUP, interface: "eth1", syncId: 0 };
  assert.deepEqual(
    unmatched(rules, { daemons: [backup] as unknown as Facts["daemons"] }),
    [],
  );
});
