import assert from "node:assert/strict";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parseIptablesSave } from "../../../../src/doctor/firewall/iptables-save.js";
import type { Firewall } from "../../../../src/doctor/firewall/read-firewall.js";
import { INET, INET6, type Family } from "../../../../src/ipvs/address.js";
import { separatePersistence } from "../../../../src/doctor/director/table/separate-persistence.js";
import { procedureText } from "../../../../src/doctor/finding.js";
import { persistenceGroups } from "../../../../src/doctor/persistence-groups.js";
import { readGroupClients } from "../../../../src/doctor/read-group-clients.js";
import {
  DIRECT_ROUTING,
  MASQUERADING,
  PERSISTENT,
  TCP,
  UDP,
  wholeNetmask,
  type Protocol,
  type ServerSettings,
  type ServiceSettings,
  type ServiceWithServers,
} from "../../../../src/ipvs/model.js";
import { schedulerFlag } from "../../../../src/ipvs/scheduler-flags.js";
import type { Rule } from "../../../../src/rtnl/model.js";
import { network } from "../../made-up-network.js";
import {
  address,
  addressKey,
  serverEntry,
  serviceEntry,
} from "../../../fixtures/entries.js";

const FOLDER = mkdtempSync(join(tmpdir(), "templates."));
let files = 0;

/** A persistent service of 192.0.2.1 with the servers 192.0.2.10 and 192.0.2.11. */
function service(
  port: number,
  {
    hosts = ["192.0.2.10", "192.0.2.11"],
    protocol = TCP,
    virtual = "192.0.2.1",
    weight = 1,
    ...settings
  }: Partial<ServiceSettings> & {
    hosts?: readonly string[];
    protocol?: Protocol;
    virtual?: string;
    weight?: number;
  } = {},
): ServiceWithServers {
  const key = addressKey(protocol, virtual, port);
  return serviceEntry(
    key,
    {
      scheduler: "rr",
      flags: PERSISTENT,
      timeoutSeconds: 300,
      netmask: wholeNetmask(key.family),
      ...settings,
    },
    hosts.map((host, i) =>
      serverEntry(host, port, {
        forwarding: MASQUERADING,
        weight: i === 0 ? 1 : weight,
      }),
    ),
  );
}

/** Lines as the kernel has them for templates: the last byte of client and server, and the port. */
function templates(
  ...all: readonly (readonly [client: number, port: number, server: number])[]
): string {
  const hex = (value: number, digits: number) =>
    value.toString(16).toUpperCase().padStart(digits, "0");
  return all
    .map(
      ([client, port, server]) =>
        `TCP C00002${hex(client, 2)} 0000 C0000201 ${hex(port, 4)} C00002${hex(server, 2)} ${hex(port, 4)} NONE             30\n`,
    )
    .join("");
}

/** The mangle table of a variant of iptables, or none, with these rules for PREROUTING. */
function mangle(program: string | undefined, ...rules: string[]): Firewall {
  const text = [
    "*mangle",
    ":PREROUTING ACCEPT [0:0]",
    ...rules.map((rule) => `[0:0] -A PREROUTING ${rule}`),
    "COMMIT\n",
  ].join("\n");
  return {
    tables: program ? parseIptablesSave(text, INET, program) : [],
    unread: [],
  };
}

async function find(
  table: readonly ServiceWithServers[],
  lines = "",
  firewall = mangle(undefined),
  rules?: readonly Rule[],
) {
  const file = join(FOLDER, String(files++));
  writeFileSync(
    file,
    `Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n${lines}`,
  );
  const groupClients = await readGroupClients(file, persistenceGroups(table));
  return separatePersistence
    .examine({
      ...{ table, allServices: table, groupClients, firewall },
      ...(rules ? { network: network([], { rules }) } : {}),
    })
    .map((finding) => ({
      ...finding,
      cure: procedureText(finding.procedure ?? []),
    }));
}

const BOTH = [service(80), service(443)];

test("separatePersistence: templates that name different servers for a client prove that it is split", async () => {
  const [finding, ...others] = await find(
    BOTH,
    templates(
      [100, 443, 11],
      [100, 80, 10],
      [101, 80, 10],
      [101, 443, 10],
      [102, 80, 11],
    ),
  );
  assert.deepEqual(others, []);
  assert.equal(finding?.id, "persistence-split");
  assert.equal(finding.subject, "tcp/192.0.2.1:80");
  assert.equal(
    finding.seen,
    "tcp/192.0.2.1:443 has the same real servers and persistence of its own: 1 of 2 clients that use several of these services are at different servers",
  );
  assert.deepEqual(finding.evidence, [
    "client 192.0.2.100 is at 192.0.2.10 for tcp/192.0.2.1:80 and at 192.0.2.11 for tcp/192.0.2.1:443",
  ]);
  assert.deepEqual(finding.fix, []);
  assert.deepEqual(
    Array.from(finding.cure.matchAll(/"([^"]*)"/g), ([, one]) => one),
    [
      "ipvsadm -A -f 1 -s rr -p 300 && ipvsadm -a -f 1 -r 192.0.2.10:0 -m -w 1 && ipvsadm -a -f 1 -r 192.0.2.11:0 -m -w 1 && iptables -t mangle -A PREROUTING -d 192.0.2.1 -p tcp -m multiport --dports 80,443 -j MARK --set-mark 1",
      "ipvsadm -Ln",
      "ipvsadm -D -t 192.0.2.1:80 && ipvsadm -D -t 192.0.2.1:443",
    ],
  );
});

test("separatePersistence: without such templates it is a note, until ten clients use several services", async () => {
  const ids = async (lines: string) =>
    (await find(BOTH, lines)).map(({ id }) => id);
  assert.deepEqual(await ids(""), ["persistence-per-port"]);
  const together = (count: number) =>
    Array.from({ length: count }, (_, i) =>
      templates([100 + i, 80, 10], [100 + i, 443, 10]),
    ).join("");
  assert.deepEqual(await ids(together(9)), ["persistence-per-port"]);
  assert.deepEqual(await ids(together(10)), []);
  assert.deepEqual(
    await ids(together(10) + templates([200, 80, 10], [200, 443, 11])),
    ["persistence-split"],
  );
  assert.deepEqual(
    await ids(templates([100, 80, 10], [100, 443, 12])),
    ["persistence-per-port"],
    "a server that the service does not have",
  );
});

test("separatePersistence: TCP and UDP, and IPv6, have rules of their own", async () => {
  const [mixed] = await find([service(53), service(53, { protocol: UDP })]);
  assert.match(
    mixed?.cure ?? "",
    / -p tcp --dport 53 -j MARK --set-mark 1 && iptables .* -p udp --dport 53 -j MARK --set-mark 1"/,
  );
  assert.doesNotMatch(mixed?.cure ?? "", /port 0/);
  const virtual = "2001:db8::1";
  const hosts = ["2001:db8::10", "2001:db8::11"];
  const six = [80, 443].map((port) => service(port, { virtual, hosts }));
  const [finding] = await find(six);
  assert.match(
    finding?.cure ?? "",
    /"ipvsadm -A -f 1 -6 .* -r '\[2001:db8::11\]:0' .* && ip6tables -t mangle -A PREROUTING -d 2001:db8::1 -p tcp /,
  );
});

test("separatePersistence: it names a mark that no service has, and no rule sets", async () => {
  const mark = serviceEntry({ family: 2, firewallMark: 1 });
  const cure = async (firewall?: Firewall) =>
    (await find([mark, ...BOTH], "", firewall))[0]?.cure ?? "";
  assert.match(await cure(), /--set-mark 2"/);
  const others = mangle(
    "iptables",
    "-d 192.0.2.9/32 -j MARK --set-xmark 0x2/0xffffffff",
    "-i eth9 -j MARK --set-xmark 0x3/0x3",
  );
  assert.match(await cure(others), /--set-mark 4"/);
  const every = Array.from(
    { length: 32 },
    (_, bit) => `-j MARK --set-xmark ${2 ** bit}/${2 ** bit}`,
  );
  assert.match(
    await cure(mangle("iptables", ...every)),
    /--set-mark 1000"/,
    "rules set each bit",
  );
});

/** A routing rule for packets with a mark. */
function routingRule(value: number, mask: number, inverted = false): Rule {
  return {
    family: INET,
    priority: 100,
    action: "table",
    table: 100,
    from: undefined,
    to: undefined,
    incoming: undefined,
    outgoing: undefined,
    mark: { value, mask },
    inverted,
  };
}

test("separatePersistence: it names a mark that no routing rule selects", async () => {
  const cure = async (...rules: Rule[]) =>
    (await find(BOTH, "", undefined, rules))[0]?.cure ?? "";
  assert.match(
    await cure(routingRule(1, 0xffffffff), routingRule(2, 0x2)),
    /one service by firewall mark: .*--set-mark 4"/,
  );
  assert.match(await cure(routingRule(1, 0xffffffff, true)), /--set-mark 1"/);
  assert.match(await cure(routingRule(0, 0)), /--set-mark 1000"/);
  const unknown = (await find(BOTH))[0]?.cure ?? "";
  assert.match(unknown, / Take another mark if a routing rule here uses this/);
});

const JOINING_HOSTS = ["192.0.2.10", "192.0.2.11"];

/** A service by firewall mark 1 with the servers of the others. */
function joining({
  hosts = JOINING_HOSTS,
  forwarding = MASQUERADING,
  ...settings
}: Partial<ServiceSettings> & {
  hosts?: readonly string[];
  forwarding?: ServerSettings["forwarding"];
} = {}): ServiceWithServers {
  return serviceEntry(
    { family: INET, firewallMark: 1 },
    {
      scheduler: "rr",
      flags: PERSISTENT,
      timeoutSeconds: 300,
      netmask: wholeNetmask(INET),
      ...settings,
    },
    hosts.map((host) => serverEntry(host, 0, { forwarding })),
  );
}

const SPLIT = templates([100, 80, 10], [100, 443, 11]);
const BOTH_MARKED =
  "-d 192.0.2.1/32 -p tcp -m multiport --dports 80,443 -j MARK --set-xmark 0x1/0xffffffff";
const WEB_MARKED =
  "-d 192.0.2.1/32 -p tcp -m tcp --dport 80 -j MARK --set-xmark 0x1/0xffffffff";

test("separatePersistence: it finds nothing where a service by mark has joined the services", async () => {
  for (const rules of [
    [BOTH_MARKED],
    ["-i eth0 -d 192.0.2.0/24 -j MARK --set-xmark 0x1/0xffffffff"],
    [WEB_MARKED, WEB_MARKED.replace("80", "443")],
  ])
    for (const lines of [SPLIT, ""])
      assert.deepEqual(
        await find(
          [joining(), ...BOTH],
          lines,
          mangle("iptables-legacy", ...rules),
        ),
        [],
        rules.join(),
      );
});

test("separatePersistence: where the service by mark is there, it asks for the missing rule alone, with the same mark", async () => {
  const table = [joining(), ...BOTH];
  const cure = async (firewall: Firewall, lines = SPLIT) =>
    (await find(table, lines, firewall))[0]?.cure ?? "";
  const legacy = mangle("iptables-legacy");
  assert.equal(
    await cure(legacy),
    'fwm/1 has the same real servers and persistence, but no rule gives mark 1 to the packets of tcp/192.0.2.1:80, tcp/192.0.2.1:443: only the marking rule is missing: "iptables-legacy -t mangle -A PREROUTING -d 192.0.2.1 -p tcp -m multiport --dports 80,443 -j MARK --set-mark 1". New connections use this service, and persistence begins anew. Look whether the old services still have connections (ActiveConn, InActConn): "ipvsadm -Ln". When they have none, delete them: "ipvsadm -D -t 192.0.2.1:80 && ipvsadm -D -t 192.0.2.1:443".',
  );
  assert.match(
    await cure(legacy, ""),
    /^This is needed only if clients need the same server at these ports\. fwm\/1 has /,
  );
  assert.match(
    await cure(mangle("iptables", WEB_MARKED)),
    /mark 1 to the packets of tcp\/192\.0\.2\.1:443: only the marking rule is missing: "iptables -t mangle -A PREROUTING -d 192\.0\.2\.1 -p tcp --dport 443 -j MARK --set-mark 1"/,
  );
  const uncertain =
    /Not all rules are known: if none gives mark 1 to the packets of .*, only the marking rule is missing: "iptables\S* -t mangle /;
  assert.match(
    await cure({ ...legacy, unread: ["nft rules (nft is not installed)"] }),
    uncertain,
  );
  assert.match(
    await cure(
      mangle(
        "iptables",
        "-j CONNMARK --restore-mark --nfmask 0xffffffff --ctmask 0xffffffff",
      ),
    ),
    uncertain,
  );
});

test("separatePersistence: a service by mark for something else is no repair", async () => {
  const six = { family: INET6, firewallMark: 1 } as const;
  for (const [what, one, ...rules] of [
    ["other servers", joining({ hosts: ["192.0.2.10", "192.0.2.12"] })],
    ["fewer servers", joining({ hosts: ["192.0.2.10"] })],
    ["another method", joining({ forwarding: DIRECT_ROUTING })],
    ["no persistence", joining({ flags: 0 })],
    ["IPv6", { ...joining(), key: six }],
    [
      "another address",
      joining(),
      BOTH_MARKED.replace("192.0.2.1/", "192.0.2.2/"),
    ],
    ["another port", joining(), WEB_MARKED.replace("80", "8080")],
    ["another protocol", joining(), BOTH_MARKED.replace("tcp", "udp")],
  ] as const)
    assert.match(
      (await find([one, ...BOTH], SPLIT, mangle("iptables", ...rules)))[0]
        ?.cure ?? "",
      /^Make them one service by firewall mark\. .* --set-mark 2"/,
      what,
    );
});

test("separatePersistence: the marking rule is for the variant of iptables that this machine uses", async () => {
  const program = async (firewall: Firewall) =>
    / && (\S+) -t mangle /.exec(
      (await find(BOTH, SPLIT, firewall))[0]?.cure ?? "",
    )?.[1];
  const both = ["iptables-legacy", "iptables-nft"].flatMap(
    (name, i) => mangle(name, ...(i === 0 ? [] : ["-j ACCEPT"])).tables,
  );
  for (const [firewall, expected] of [
    [{ tables: both, unread: [] }, "iptables-nft"],
    [mangle("iptables-legacy"), "iptables-legacy"],
    [
      {
        ...mangle(undefined),
        legacyPrograms: new Map<Family, string>([[INET, "iptables-legacy"]]),
      },
      "iptables-legacy",
    ],
    [
      {
        ...mangle("ip6tables-legacy"),
        legacyPrograms: new Map<Family, string>([[INET6, "ip6tables-legacy"]]),
      },
      "iptables",
    ],
    [mangle(undefined), "iptables"],
  ] as const)
    assert.equal(await program(firewall), expected);
});

test("separatePersistence: services that clients do not need together are not reported", async () => {
  const port = schedulerFlag("sh-port")?.bit ?? 0;
  const sh = { scheduler: "sh" };
  for (const [what, table, found] of [
    [
      "different servers",
      [service(80), service(443, { hosts: ["192.0.2.10", "192.0.2.12"] })],
    ],
    [
      "one server",
      [80, 443].map((one) => service(one, { hosts: ["192.0.2.10"] })),
    ],
    [
      "one server that is not drained",
      [80, 443].map((one) => service(one, { weight: 0 })),
    ],
    ["no persistence", [service(80), service(443, { flags: 0 })]],
    ["another address", [service(80), service(443, { virtual: "192.0.2.2" })]],
    [
      "another netmask",
      [service(80), service(443, { netmask: address("255.255.255.0") })],
    ],
    ["FTP", [service(80), service(21), service(20)]],
    ["SIP", [80, 443].map((one) => service(one, { persistenceEngine: "sip" }))],
    ["source hashing", [service(80, sh), service(443, sh)]],
    [
      "source hashing with ports",
      [service(80, { ...sh, flags: PERSISTENT | port }), service(443, sh)],
      1,
    ],
  ] as const)
    assert.equal((await find(table)).length, found ?? 0, what);
});
