import assert from "node:assert/strict";
import { test } from "node:test";
import { traceClient } from "../../../../src/doctor/director/client/trace.js";
import { localMarks } from "../../../../src/doctor/director/marks/not-local.js";
import {
  prefixBitsOf,
  withMarkedWays,
} from "../../../../src/doctor/director/marks/marked-ways.js";
import { unmatchedMarks } from "../../../../src/doctor/director/marks/marks.js";
import { unreached } from "../../../../src/doctor/director/connections/unreached.js";
import { parseIptablesSave } from "../../../../src/doctor/firewall/iptables-save.js";
import { prefixRange } from "../../../../src/doctor/firewall/ruleset.js";
import type { Network } from "../../../../src/doctor/network.js";
import { formatAddress, INET } from "../../../../src/ipvs/address.js";
import {
  BACKUP,
  MASQUERADING,
  type Stats,
} from "../../../../src/ipvs/model.js";
import type { RouteQuery } from "../../../../src/rtnl/client.js";
import { EOPNOTSUPP } from "../../../../src/netlink/errno.js";
import { NetworkRefusal } from "../../../../src/rtnl/errors.js";
import type { Rule } from "../../../../src/rtnl/model.js";
import {
  address,
  serverEntry,
  serviceEntry,
  stats,
} from "../../../fixtures/entries.js";
import { connectionTable } from "../../made-up-connections.js";
import { device, network, ownAddress, route } from "../../made-up-network.js";
import { sysctls, told } from "../../made-up.js";

const KEY = { family: INET, firewallMark: 7 } as const;
const SERVER = serverEntry("10.0.0.11", 80, { forwarding: MASQUERADING });
const GENERAL = network(
  [
    route("192.0.0.8", "unicast", 1, "203.0.113.1"),
    route("10.0.0.11", "unicast", 2),
    route("198.51.100.9", "unicast", 1, "203.0.113.1"),
  ],
  {
    devices: [device(1), device(2)],
    addresses: [ownAddress(1, "203.0.113.2/24"), ownAddress(2, "10.0.0.1/24")],
  },
);

function rule(change: Partial<Rule> = {}): Rule {
  return {
    family: INET,
    priority: 700,
    action: "table",
    table: 100,
    from: undefined,
    to: undefined,
    incoming: undefined,
    outgoing: undefined,
    mark: { value: 7, mask: 0xffffffff },
    inverted: false,
    ...change,
  };
}

/** A rule that sets mark 7. */
function marks(match: string, packets = 192): string {
  return `[${packets}:0] -A PREROUTING ${match} -j MARK --set-xmark 0x7/0xffffffff`;
}

const BLOCK = marks("-d 192.0.2.64/28 -p tcp");

interface Given {
  readonly rules?: string;
  readonly routing?: readonly Rule[];
  /** Which packets are local */
  readonly isLocal?: (query: RouteQuery) => boolean;
  readonly counters?: Partial<Stats>;
  readonly network?: Network;
}

/** The facts of a director with a service of mark 7, as they are gathered. */
async function factsOf({
  rules = BLOCK,
  routing = [rule()],
  isLocal = () => false,
  counters = {},
  network: general = GENERAL,
}: Given) {
  const table = [
    { ...serviceEntry(KEY, {}, [SERVER]), stats: stats(counters) },
  ];
  const firewall = {
    tables: parseIptablesSave(
      `*mangle\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:sites - [0:0]\n${rules}\nCOMMIT\n`,
      INET,
      "iptables",
    ),
    unread: [],
  };
  const asked: RouteQuery[] = [];
  const client = {
    rules: () => Promise.resolve([...routing]),
    routeTo(query: RouteQuery) {
      asked.push(query);
      return Promise.resolve(
        isLocal(query)
          ? route(formatAddress(query.to), "local", 1)
          : route(formatAddress(query.to), "unicast", 1, "203.0.113.1"),
      );
    },
  };
  const facts = {
    table,
    allServices: table,
    daemons: [],
    network: await withMarkedWays(client, general, firewall, table),
    connections: connectionTable(),
    sysctls: sysctls({}),
    firewall,
  };
  return { facts, asked };
}

async function find(given: Given) {
  return localMarks.examine((await factsOf(given)).facts);
}

test("localMarks: marked packets that leave the machine are an error, proven by the counters", async () => {
  const [finding, ...others] = await find({});
  assert.deepEqual(others, []);
  assert.ok(finding);
  assert.equal(
    finding.seen,
    'rule 1 of chain PREROUTING (iptables, table mangle), "-d 192.0.2.64/28 -p tcp -j MARK --set-xmark 0x7/0xffffffff", 192 packets, sets mark 7, and packets with it to 192.0.2.64/28 are not local: they would leave by eth1 through 203.0.113.1',
  );
  assert.equal(finding.certainty, "proven");
  assert.deepEqual(finding.evidence, [
    "routing rule 700 sends packets with mark 7 to table 100, which has no local route for them",
  ]);
  assert.deepEqual(told(finding), [
    "mark-not-local fwm/7",
    "ip route add local 192.0.2.64/28 dev lo table 100",
  ]);
  assert.equal(finding.next?.[0]?.command, "ip route get 192.0.2.64 mark 7");
});

test("localMarks: without a routing rule for the mark the route takes all packets, but never those to real servers", async () => {
  const [finding] = await find({ routing: [] });
  assert.deepEqual(finding && told(finding).slice(1), [
    "ip route add local 192.0.2.64/28 dev lo",
  ]);
  assert.match(
    finding?.fix[0]?.effect ?? "",
    /^first make sure that no other director has the address; /,
  );
  for (const other of [
    { mark: { value: 8, mask: 0xffffffff } },
    { inverted: true },
    { priority: 40000 },
    { table: 254 },
    { family: 10 as const },
    { action: "goto" as const },
  ]) {
    const [same] = await find({ routing: [rule(other)] });
    assert.deepEqual(same?.fix, finding?.fix, JSON.stringify(other));
  }
  // A routing rule without a mark can make the packets local all the same.
  const [doubtful] = await find({ routing: [rule({ mark: undefined })] });
  assert.deepEqual(doubtful?.fix, []);
  const [servers] = await find({
    routing: [],
    rules: marks("-d 10.0.0.0/28"),
  });
  assert.ok(servers);
  assert.deepEqual(servers.fix, []);
});

test("localMarks: a standby that was active before gets no command that takes the address from the active director", async () => {
  const [standby] = await find({
    routing: [],
    counters: { inPackets: 9n },
  });
  assert.equal(standby?.certainty, "likely");
  assert.deepEqual(standby.fix, []);
});

test("localMarks: any address of the block that is local will do", async () => {
  const is = (text: string) => (query: RouteQuery) =>
    query.mark === 7 && formatAddress(query.to) === text;
  for (const text of ["192.0.2.64", "192.0.2.70", "192.0.2.79"])
    assert.deepEqual(await find({ isLocal: is(text) }), [], text);
  assert.equal((await find({ isLocal: is("192.0.2.80") })).length, 1);
  // A routing rule for an interface applies to packets that come in there.
  const comesIn = (query: RouteQuery) => query.incoming === 1;
  const routing = [rule({ incoming: "eth1" })];
  assert.deepEqual(await find({ isLocal: comesIn, routing }), []);
  // This machine's own addresses in a large block are tried, too.
  const own = {
    ...GENERAL,
    addresses: [...GENERAL.addresses, ownAddress(1, "172.16.200.7/32")],
  };
  const large = { rules: marks("-d 172.16.0.0/12"), network: own };
  assert.deepEqual(await find({ ...large, isLocal: is("172.16.200.7") }), []);
  const { asked } = await factsOf(large);
  assert.ok(asked.length < 300, `${asked.length} questions`);
});

test("localMarks: what the service counts, and what is not known, decides", async () => {
  assert.deepEqual(
    await find({ counters: { inPacketsPerSecond: 1n, inPackets: 9n } }),
    [],
  );
  const certainties = async (given: Given) =>
    (await find(given)).map(({ certainty }) => certainty);
  assert.deepEqual(await certainties({ counters: { inPackets: 9n } }), [
    "likely",
  ]);
  assert.deepEqual(await certainties({ rules: marks("-d 192.0.2.64/28", 0) }), [
    "likely",
  ]);
  // More than the mark decides.
  const from = rule({ from: { address: address("10.0.0.0"), bits: 8 } });
  const ports = rule({ mark: undefined });
  for (const routing of [[from], [ports]]) {
    assert.deepEqual(await certainties({ routing }), ["likely"]);
    assert.deepEqual(
      await certainties({ routing, counters: { inPackets: 9n } }),
      [],
    );
  }
  const large = marks("-d 172.16.0.0/12");
  assert.deepEqual(await certainties({ rules: large }), ["likely"]);
  assert.deepEqual(
    await certainties({ rules: large, counters: { inPackets: 9n } }),
    [],
  );
  const redirect = `${BLOCK}\n[0:0] -A PREROUTING -p tcp -j REDIRECT`;
  assert.deepEqual(await certainties({ rules: redirect }), ["likely"]);
  assert.deepEqual(
    await certainties({ rules: redirect, counters: { inPackets: 9n } }),
    [],
  );
});

test("localMarks: a rule without a destination, in INPUT or with an unknown mark may set it for local packets", async () => {
  for (const rules of [
    marks("-i eth1 -p tcp"),
    marks("-d 192.0.2.64/28").replace("PREROUTING", "INPUT"),
    `${BLOCK}\n${marks("-p udp")}`,
    `${BLOCK}\n[0:0] -A PREROUTING -j CONNMARK --restore-mark`,
    marks("! -d 192.0.2.64/28"),
  ])
    assert.deepEqual(await find({ rules }), [], rules);
  const { facts } = await factsOf({});
  const daemon = {
    state: BACKUP,
    multicastInterface: "eth1",
    syncId: 1,
  } as never;
  assert.deepEqual(localMarks.examine({ ...facts, daemons: [daemon] }), []);
});

test("localMarks: the destinations of calling rules limit those of a chain, and several blocks need a route each", async () => {
  const [chain] = await find({
    rules: `[0:0] -A PREROUTING -d 192.0.2.0/24 -j sites\n${marks("-d 192.0.2.64/28").replace("PREROUTING", "sites")}`,
  });
  assert.deepEqual(
    chain?.fix.map(({ command }) => command),
    ["ip route add local 192.0.2.64/28 dev lo table 100"],
  );
  const [several] = await find({
    rules: `${BLOCK}\n${marks("-d 192.0.2.100/32", 0)}`,
  });
  assert.deepEqual(
    several?.fix.map(({ command }) => command),
    [
      "ip route add local 192.0.2.64/28 dev lo table 100",
      "ip route add local 192.0.2.100 dev lo table 100",
    ],
  );
  assert.match(
    several.evidence?.[1] ?? "",
    /^rule 2 of chain PREROUTING .*, sets the mark for packets to 192\.0\.2\.100, which are not local either$/,
  );
});

test("localMarks: it is one finding with service-unreached and mark-unmatched", async () => {
  const { facts } = await factsOf({});
  assert.deepEqual(unreached.examine(facts), []);
  const { facts: works } = await factsOf({ isLocal: () => true });
  assert.equal(unreached.examine(works).length, 1);
  // A rule that never matched and names a single address is perhaps wrong itself.
  const none = {
    rules: marks("-d 198.51.100.9/32", 0),
  };
  const { facts: wrong } = await factsOf(none);
  assert.equal(unmatchedMarks.examine(wrong).length, 1);
  assert.deepEqual(localMarks.examine(wrong), []);
  const { facts: local } = await factsOf({ ...none, isLocal: () => true });
  assert.deepEqual(unmatchedMarks.examine(local), []);
});

test("withMarkedWays() asks for a limited number of routes, and what is beyond is not judged", async () => {
  const routing = [rule({ incoming: "eth1" })];
  const blocks = Array.from({ length: 64 }, (_, at) =>
    marks(`-d 172.16.${at}.0/24`),
  ).join("\n");
  const many = await factsOf({ rules: blocks, routing });
  assert.equal(many.asked.length, 512);
  assert.equal(many.facts.network.isMarkedPartial, true);
  assert.deepEqual(localMarks.examine(many.facts), []);
  // A single address after them may be local.
  const single = marks("-d 198.51.100.9/32", 0);
  const { facts: wrong } = await factsOf({ rules: single });
  assert.equal(wrong.network.isMarkedPartial, false);
  assert.equal(unmatchedMarks.examine(wrong).length, 1);
  const { facts: beyond } = await factsOf({ rules: single });
  const untried = { ...beyond.network, marked: [], isMarkedPartial: true };
  const facts = { ...beyond, network: untried };
  assert.deepEqual(unmatchedMarks.examine(facts), []);
  assert.deepEqual(localMarks.examine(facts), []);
});

test("withMarkedWays() asks for many single addresses, and each only once", async () => {
  const rules = Array.from({ length: 200 }, (_, at) =>
    marks(`-d 172.16.0.${at}/32`),
  ).join("\n");
  const { facts, asked } = await factsOf({ rules });
  assert.equal(asked.length, 200);
  assert.equal(localMarks.examine(facts).length, 1);
});

test("traceClient() stops at a mark whose packets are not local", async () => {
  const trace = (facts: Awaited<ReturnType<typeof factsOf>>["facts"]) =>
    traceClient(facts, {
      client: address("198.51.100.9"),
      seconds: 5,
      connections: [],
      after: facts.table,
      heard: [],
    });
  const { stopsAt } = trace((await factsOf({})).facts);
  assert.equal(stopsAt?.step, "marks");
  assert.match(
    stopsAt.text,
    /; it matches, but packets with the mark to 192\.0\.2\.64\/28 are not local, so IPVS does not see them: they would leave by eth1 through 203\.0\.113\.1; 'ipvsadm doctor' prints the fix$/,
  );
  const works = trace((await factsOf({ isLocal: () => true })).facts);
  assert.notEqual(works.stopsAt?.step, "marks");
});

test("withMarkedWays() asks nothing without marking rules, and does without routing rules that the kernel does not have", async () => {
  const { asked } = await factsOf({ rules: "" });
  assert.deepEqual(asked, []);
  const { facts } = await factsOf({});
  const changed = await withMarkedWays(
    {
      rules: () =>
        Promise.reject(
          new NetworkRefusal(EOPNOTSUPP, "read the routing rules", undefined),
        ),
      routeTo: () => Promise.resolve("no route" as const),
    },
    GENERAL,
    facts.firewall,
    facts.table,
  );
  assert.deepEqual(changed.rules, []);
  assert.deepEqual(
    changed.marked?.map(({ isLocal, way }) => [isLocal, way]),
    [[false, "no route"]],
  );
});

test("prefixBitsOf() knows blocks of any size, and ranges that are none", () => {
  for (const [text, bits] of [
    ["192.0.2.64", 28],
    ["192.0.2.1", 32],
    ["0.0.0.0", 0],
    ["2001:db8::", 64],
  ] as const)
    assert.equal(prefixBitsOf(prefixRange(address(text), bits)), bits);
  const first = address("192.0.2.1");
  assert.equal(prefixBitsOf({ first, last: address("192.0.2.6") }), undefined);
});
