import assert from "node:assert/strict";
import { after, afterEach, before, suite, test } from "node:test";
import type { Change, IpvsClient } from "../../../src/ipvs/client.js";
import { KernelRefusal } from "../../../src/ipvs/errors.js";
import type { ServiceRule, Table } from "../../../src/ipvs/table.js";
import { openIpvs } from "../../../src/library/open.js";
import type { RuleFile } from "../../../src/rules/rule-file.js";
import { readRules } from "../../../src/rules/read-rules.js";
import { warningsOf } from "../../../src/rules/warnings.js";
import { sh } from "../../lab/namespaces.js";
import { ours } from "../../lab/program.js";
import { fakeLookups } from "../../rules/name-lookups.js";

const read = (text: string) => readRules("-", text, fakeLookups());

/** Services of every kind that can be saved. */
const RULES = `-A -t 192.0.2.1:80 -s sh -p 600 -M 255.255.255.0 -b sh-port
-a -t 192.0.2.1:80 -r 192.0.2.10:8080 -m -w 3 -x 100 -y 50
-a -t 192.0.2.1:80 -r 192.0.2.11:80 -g -w 0
-A -u 192.0.2.1:53 -o -s rr
-a -u 192.0.2.1:53 -r 192.0.2.10:53 -i --tun-type gue --tun-port 6080 --tun-csum
-A --sctp-service 192.0.2.1:9899
-a --sctp-service 192.0.2.1:9899 -r 192.0.2.10:9899 -i --tun-type gre
-A -t [2001:db8::1]:443 -s wrr -p -M 64
-a -t [2001:db8::1]:443 -r [2001:db8::10]:443 -i
-A -f 7 -s mh --pe sip -p
-a -f 7 -r 192.0.2.10:0 -g
-A -f 8 -6
-a -f 8 -6 -r [2001:db8::10]:80 -m
`;

/** Command lines, and the id of the error in the last one, which a kernel refuses, too. */
const CLASSIC_ERRORS: readonly (readonly [id: string, rules: string])[] = [
  ["duplicate", "-A -f 1\n-A -f 1"],
  ["duplicate", "-A -f 1\n-a -f 1 -r 192.0.2.10\n-a -f 1 -r 192.0.2.10 -w 2"],
  // With direct routing, both servers have the port of the service.
  [
    "duplicate",
    "-A -t 192.0.2.1:80\n-a -t 192.0.2.1:80 -r 192.0.2.10:81\n-a -t 192.0.2.1:80 -r 192.0.2.10:82",
  ],
  ["undefined-service", "-a -f 1 -r 192.0.2.10"],
  ["undefined-service", "-E -f 1"],
  ["undefined-service", "-D -f 1"],
  ["undefined-service", "-Z -f 1"],
  ["undefined-server", "-A -f 1\n-e -f 1 -r 192.0.2.10"],
  ["undefined-server", "-A -f 1\n-d -f 1 -r 192.0.2.10"],
  ["thresholds", "-A -f 1\n-a -f 1 -r 192.0.2.10 -x 5 -y 6"],
  ["thresholds", "-A -f 1\n-a -f 1 -r 192.0.2.10 -y 6"],
  ["not-unicast", "-A -f 1\n-a -f 1 -r 224.0.0.1"],
  ["not-unicast", "-A -f 1\n-a -f 1 -r 0.0.0.0:0"],
  ["not-unicast", "-A -f 1\n-a -f 1 -r 255.255.255.255"],
  ["not-unicast", "-A -f 1 -6\n-a -f 1 -6 -r [::]:0"],
  ["not-unicast", "-A -f 1 -6\n-a -f 1 -6 -r [ff02::1]:0"],
  ["not-unicast", "-A -f 1 -6\n-a -f 1 -6 -r [::ffff:192.0.2.1]:0"],
  [
    "mixed-families-with-daemon",
    "--start-daemon master --mcast-interface check0\n-A -f 1\n-a -f 1 -r [2001:db8::1]:0 -i",
  ],
  [
    "duplicate",
    "--start-daemon backup --mcast-interface check0\n--start-daemon backup --mcast-interface check0",
  ],
  ["no-daemon", "--stop-daemon master"],
];

const WARNINGS: readonly (readonly [id: string, rules: string])[] = [
  ["no-servers", "-A -f 1"],
  ["all-weights-zero", "-A -f 1\n-a -f 1 -r 192.0.2.10 -w 0"],
  ["port-ignored", "-A -t 192.0.2.1:80\n-a -t 192.0.2.1:80 -r 192.0.2.10:81"],
  [
    "port-ignored",
    "-A -t 192.0.2.1:80\n-a -t 192.0.2.1:80 -r 192.0.2.10:81 -i",
  ],
  ["mask-without-persistence", "-A -f 1 -M 255.255.255.0\n-a -f 1 -r 10.0.0.1"],
  ["mask-with-gaps", "-A -f 1 -p -M 255.0.255.0\n-a -f 1 -r 10.0.0.1"],
  [
    "mask-lost",
    "-A -M 64 -p -t [2001:db8::1]:80\n-a -t [2001:db8::1]:80 -r [2001:db8::2]:80 -m",
  ],
  ["engine-without-persistence", "-A -f 1 --pe sip\n-a -f 1 -r 10.0.0.1"],
  ["no-scheduler", "-A -f 1 -s none\n-a -f 1 -r 10.0.0.1"],
  ["scheduler-flags-ignored", "-A -f 1 -b flag-1\n-a -f 1 -r 10.0.0.1"],
  ["wildcard-service", "-A -t 0.0.0.0:80\n-a -t 0.0.0.0:80 -r 10.0.0.1 -m"],
  ["unusual-address", "-A -f 1\n-a -f 1 -r 10.1"],
];

const SERVICE = `"protocol": "tcp", "address": "192.0.2.1", "port": 80, "scheduler": "rr"`;
const SERVER = `"address": "192.0.2.10", "port": 80, "weight": 1`;
const document = (service: string, server: string, rest = "") =>
  `{"schema": "ipvsadm/table/1", "services": [{${service}, "servers": [{${server}}]}]${rest}}`;

const DOCUMENT_ERRORS: readonly (readonly [id: string, text: string])[] = [
  [
    "mixed-families",
    document(
      SERVICE,
      `"address": "2001:db8::1", "port": 80, "weight": 1, "forwarding": "masq"`,
    ),
  ],
  [
    "gue-without-port",
    document(
      SERVICE,
      `${SERVER}, "forwarding": "tunnel", "tunnel": {"type": "gue"}`,
    ),
  ],
  [
    "long-timeout",
    document(
      SERVICE,
      `${SERVER}, "forwarding": "masq"`,
      `, "timeouts": {"tcpSeconds": 21474837, "tcpFinSeconds": 0, "udpSeconds": 0}`,
    ),
  ],
  [
    "not-multicast",
    document(
      SERVICE,
      `${SERVER}, "forwarding": "masq"`,
      `, "daemons": [{"role": "master", "interface": "check0", "syncId": 1, "group": "192.0.2.1"}]`,
    ),
  ],
];

const DOCUMENT_WARNINGS: readonly (readonly [id: string, text: string])[] = [
  [
    "port-ignored",
    document(SERVICE, `${SERVER}, "forwarding": "direct"`).replace(
      `.10", "port": 80`,
      `.10", "port": 81`,
    ),
  ],
  [
    "port-zero",
    document(SERVICE, `${SERVER}, "forwarding": "masq"`).replace("80", "0"),
  ],
  [
    "one-packet-without-udp",
    document(
      `${SERVICE}, "onePacket": true`,
      `${SERVER}, "forwarding": "masq"`,
    ),
  ],
  [
    "no-persistence-time",
    document(
      `${SERVICE}, "persistence": {"timeoutSeconds": 0}`,
      `${SERVER}, "forwarding": "masq"`,
    ),
  ],
  [
    "tunnel-ignored",
    document(
      SERVICE,
      `${SERVER}, "forwarding": "masq", "tunnel": {"type": "gue", "port": 99}`,
    ),
  ],
];

/** The changes from an empty table to this one. */
function changesFor({ services, timeouts, daemons = [] }: Table): Change[] {
  return [
    ...services.flatMap(({ key: service, settings, servers }): Change[] => [
      { command: "add-service", service, settings },
      ...servers.map(({ key: server, settings }): Change => ({
        command: "add-server",
        service,
        server,
        settings,
      })),
    ]),
    ...(timeouts ? [{ command: "set", timeouts } as const] : []),
    ...daemons.map((daemon) => ({ command: "start-daemon", daemon }) as const),
  ];
}

const idsOf = (found: readonly { readonly id: string }[]) =>
  found.map(({ id }) => id);

/** The services of a table. */
function settable({ table }: RuleFile): readonly ServiceRule[] {
  return table.services;
}

suite("check against a kernel", () => {
  let client: IpvsClient;
  before(async () => {
    await ours(["-C"]); // loads the module
    sh(
      "ip link add check0 type dummy; ip addr add 198.51.100.1/24 dev check0; ip link set check0 up multicast on",
    );
    client = await openIpvs();
  });
  afterEach(async () => {
    await ours(["-C"]);
    await ours(["--stop-daemon", "master"]);
    await ours(["--stop-daemon", "backup"]);
  });
  after(async () => {
    await client.close();
    sh("ip link del check0");
  });

  test("a table saved in any format reads back as the same table", async () => {
    assert.deepEqual(await ours(["-R"], RULES), {
      stdout: "",
      stderr: "",
      status: 0,
    });
    const saved = await ours(["-Sn"]);
    const json = await ours(["list", "-o", "json"]);
    const yaml = await ours(["list", "-o", "yaml"]);
    const files = await Promise.all(
      [saved, json, yaml].map(({ stdout }) => read(stdout)),
    );
    assert.deepEqual(
      files.map(({ format }) => format),
      ["rules", "json", "yaml"],
    );
    const [fromRules, fromJson, fromYaml] = files;
    assert.ok(fromRules && fromJson && fromYaml);
    assert.equal(fromRules.table.services.length, 6);
    assert.deepEqual(settable(fromRules), settable(fromJson));
    assert.deepEqual(fromYaml.table, fromJson.table);
    for (const file of files) assert.deepEqual(file.errors, []);
    assert.deepEqual(idsOf(warningsOf(fromJson)), []);
    assert.deepEqual(idsOf(warningsOf(fromRules)), []);
  });

  for (const [id, rules] of CLASSIC_ERRORS)
    test(`the kernel refuses ${rules.replaceAll("\n", "; ")}: ${id}`, async () => {
      const lines = rules.split("\n");
      const { errors } = await read(rules);
      assert.deepEqual(idsOf(errors), [id]);
      assert.equal(errors[0]?.position.line, lines.length);
      const begun = await ours(["-R"], lines.slice(0, -1).join("\n"));
      assert.deepEqual([begun.stderr, begun.status], ["", 0]);
      const last = await ours(["-R"], lines.at(-1));
      assert.notEqual(last.stderr, "");
      assert.equal(last.status, 255);
    });

  for (const [id, rules] of WARNINGS)
    test(`the kernel accepts ${rules.replaceAll("\n", "; ")}: ${id}`, async () => {
      const file = await read(rules);
      assert.deepEqual(file.errors, []);
      assert.deepEqual(idsOf(warningsOf(file)), [id]);
      const { stderr, status } = await ours(["-R"], rules);
      assert.deepEqual([stderr, status], ["", 0]);
      // The kernel has the same settings as were read from the file.
      const kept = await read((await ours(["list", "-o", "json"])).stdout);
      assert.deepEqual(settable(kept), settable(file));
    });

  for (const [id, text] of DOCUMENT_ERRORS)
    test(`the kernel refuses a document with ${id}`, async () => {
      const file = await read(text);
      assert.deepEqual(idsOf(file.errors), [id]);
      const said = await client.apply(changesFor(file.table));
      const refused = said.filter((one) => one !== undefined);
      assert.equal(refused.length, 1);
      assert.ok(refused[0] instanceof KernelRefusal);
    });

  for (const [id, text] of DOCUMENT_WARNINGS)
    test(`the kernel accepts a document with ${id}`, async () => {
      const file = await read(text);
      assert.deepEqual(file.errors, []);
      assert.deepEqual(idsOf(warningsOf(file)), [id]);
      const said = await client.apply(changesFor(file.table));
      assert.ok(said.every((one) => one === undefined));
      const kept = await read((await ours(["list", "-o", "json"])).stdout);
      assert.deepEqual(settable(kept), settable(file));
    });

  test("the kernel refuses an unknown scheduler or persistence engine, of which check only warns", async () => {
    for (const [rules, id] of [
      ["-A -f 1 -s wlcc\n-a -f 1 -r 10.0.0.1", "unknown-scheduler"],
      ["-A -f 1 -p --pe sap\n-a -f 1 -r 10.0.0.1", "unknown-engine"],
    ] as const) {
      const file = await read(rules);
      assert.deepEqual(
        [...idsOf(file.errors), ...idsOf(warningsOf(file))],
        [id],
      );
      const { stderr } = await ours(["-R"], rules);
      assert.match(stderr, /^Scheduler or persistence engine not found$/m);
    }
  });

  test("the kernel refuses a link-local real server unless it is the director's own address", async () => {
    sh("ip addr add fe80::77/64 dev check0 nodad");
    const add = (host: string) =>
      ours("-a -f 1 -6 -r".split(" ").concat(`[${host}]:80`, "-m"));
    await ours(["-A", "-f", "1", "-6"]);
    assert.equal((await add("fe80::77")).status, 0);
    assert.notEqual((await add("fe80::78")).status, 0);
    const file = await read("-A -f 1 -6\n-a -f 1 -6 -r [fe80::78]:80 -m");
    assert.deepEqual(file.errors, []);
    assert.deepEqual(idsOf(warningsOf(file)), ["link-local-server"]);
  });

  test("check does not use the kernel", async () => {
    const { stdout, status } = await ours(["check", "-"], RULES, {
      openLink() {
        throw new Error("check used the kernel");
      },
    });
    assert.equal(stdout, "-: no problems in 6 services with 7 real servers\n");
    assert.equal(status, 0);
  });
});
