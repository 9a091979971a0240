import assert from "node:assert/strict";
import { test } from "node:test";
import { readRules } from "../../src/rules/read-rules.js";
import { warningsOf } from "../../src/rules/warnings.js";
import { findingsIn } from "./findings.js";
import { fakeLookups } from "./name-lookups.js";

const SERVER = "-a -t 192.0.2.1:80 -r 192.0.2.10 -m\n";

/** Command lines, and the warnings with their positions. */
const CLASSIC: readonly (readonly [text: string, ...found: string[]])[] = [
  [`-A -t 192.0.2.1:80\n${SERVER}`],
  ["-A -t 192.0.2.1:80\n", "1:1 warning no-servers"],
  [
    "-A -t 192.0.2.1:80\n-a -t 192.0.2.1:80 -r 192.0.2.10 -m -w 0\n-a -t 192.0.2.1:80 -r 192.0.2.11 -m -w 0\n",
    "1:1 warning all-weights-zero",
  ],
  [`-A -t 192.0.2.1:80\n${SERVER}-a -t 192.0.2.1:80 -r 192.0.2.11 -m -w 0\n`],
  [
    "-A -t 192.0.2.1:80\n-a -t 192.0.2.1:80 -r 192.0.2.10:8080\n",
    "2:23 warning port-ignored",
  ],
  ["-A -t 192.0.2.1:80\n-a -t 192.0.2.1:80 -r 192.0.2.10:80 -i\n"],
  ["-A -f 1\n-a -f 1 -r 192.0.2.10:80 -g\n"],
  [
    `-A -t 192.0.2.1:80 -M 255.255.255.0\n${SERVER}`,
    "1:23 warning mask-without-persistence",
  ],
  [`-A -t 192.0.2.1:80 -p -M 255.255.255.0\n${SERVER}`],
  [`-A -t 192.0.2.1:80 -p -M 0.0.0.0\n${SERVER}`],
  [
    `-A -t 192.0.2.1:80 -p -M 255.0.255.0\n${SERVER}`,
    "1:26 warning mask-with-gaps",
  ],
  [
    "-A -M 64 -p -t [2001:db8::1]:80\n-a -t [2001:db8::1]:80 -r [2001:db8::2]:80 -m\n",
    "1:7 warning mask-lost",
  ],
  [
    `-A -t 192.0.2.1:80 --pe sip\n${SERVER}`,
    "1:25 warning engine-without-persistence",
  ],
  [`-A -t 192.0.2.1:80 -p --pe sip\n${SERVER}`],
  [`-A -t 192.0.2.1:80 -p --pe sap\n${SERVER}`, "1:28 warning unknown-engine"],
  [`-A -t 192.0.2.1:80 -s wlr\n${SERVER}`, "1:23 warning unknown-scheduler"],
  [`-A -t 192.0.2.1:80 -s none\n${SERVER}`, "1:23 warning no-scheduler"],
  [
    `-A -t 192.0.2.1:80 -s rr -b flag-1\n${SERVER}`,
    "1:29 warning scheduler-flags-ignored",
  ],
  [`-A -t 192.0.2.1:80 -s sh -b sh-port\n${SERVER}`],
  [
    "-A -t 0.0.0.0:80\n-a -t 0.0.0.0:80 -r 192.0.2.10 -m\n",
    "1:7 warning wildcard-service",
  ],
  [
    "-A -t 10.1:80\n-a -t 10.0.0.1:80 -r 192.0.2.010 -m\n",
    "1:7 warning unusual-address",
    "2:22 warning unusual-address",
  ],
  [
    "-A -t [2001:db8::1]:80\n-a -t [2001:db8::1]:80 -r [fe80::2]:80 -m\n",
    "2:27 warning link-local-server",
  ],
  ["-A -t 192.0.2.1:80\n-a -t 192.0.2.1:80 -r [2001:db8::2]:80 -i\n"],
  [
    "-A -t [2001:db8::1]:80\n-a -t [2001:db8::1]:80 -r 2001:db8::2:80 -m\n",
    "2:27 warning ipv6-without-brackets",
  ],
  ["-A -t [2001:db8::1]:80\n-a -t [2001:db8::1]:80 -r 2001:db8::2:10 -m\n"],
  [
    "-A -t 2001:db8::1:80 -p\n-a -t 2001:db8::1:80 -r [2001:db8::2]:0 -m\n",
    "1:7 warning ipv6-without-brackets",
    "2:7 warning ipv6-without-brackets",
  ],
  [`-C\n-A -t 192.0.2.1:80\n${SERVER}`],
  [
    `-A -t 192.0.2.1:80\n${SERVER}-C\n`,
    "1:1 warning says-nothing",
    "3:1 warning clears-rules",
  ],
  [
    `-A -t 192.0.2.1:81\n-C\n-A -t 192.0.2.1:80\n${SERVER}`,
    "2:1 warning clears-rules",
  ],
  [`\ufeff-A -t 192.0.2.1:80\n${SERVER}`, "1:1 warning byte-order-mark"],
  [
    `\ufeff# rules\n-A -t 192.0.2.1:80\n${SERVER}`,
    "1:1 warning byte-order-mark",
  ],
  [
    "# ipvsadm -A -t 192.0.2.1:80\n",
    "1:1 warning commented-rule",
    "1:1 warning says-nothing",
  ],
  [`# ipvsadm -A -t 192.0.2.2:80\n-A -t 192.0.2.1:80\n${SERVER}`],
];

for (const [text, ...expected] of CLASSIC)
  test(`warningsOf() of ${text.split("\n")[0] ?? ""}: ${expected[0] ?? "nothing"}`, async () => {
    assert.deepEqual(await findingsIn(text), expected);
  });

function document(service: object, server: object = {}): string {
  return JSON.stringify(
    {
      schema: "ipvsadm/table/1",
      services: [
        {
          protocol: "tcp",
          address: "192.0.2.1",
          port: 80,
          scheduler: "rr",
          ...service,
          servers: [
            {
              address: "192.0.2.10",
              port: 80,
              forwarding: "masq",
              weight: 1,
              ...server,
            },
          ],
        },
      ],
    },
    undefined,
    1,
  );
}

const DOCUMENTS: readonly (readonly [
  service: object,
  server: object,
  ...found: string[],
])[] = [
  [{}, {}],
  [{}, { port: 8080 }],
  [{}, { port: 8080, forwarding: "direct" }, "12:14 warning port-ignored"],
  [{ port: 0 }, {}, "7:12 warning port-zero"],
  [{ port: 0, persistence: { timeoutSeconds: 60 } }, {}],
  [
    { persistence: { timeoutSeconds: 0 } },
    {},
    "10:23 warning no-persistence-time",
  ],
  [{ onePacket: true }, {}, "9:17 warning one-packet-without-udp"],
  [{ protocol: "udp", onePacket: true }, {}],
  [{}, { tunnel: { type: "gue", port: 4 } }, "15:16 warning tunnel-ignored"],
];

for (const [service, server, ...expected] of DOCUMENTS)
  test(`warningsOf() of ${JSON.stringify({ ...service, ...server })}: ${expected[0] ?? "nothing"}`, async () => {
    assert.deepEqual(await findingsIn(document(service, server)), expected);
  });

test("warningsOf() warns of a file without rules", async () => {
  for (const text of ["", "\n\n", "# none\n"])
    assert.deepEqual(await findingsIn(text), ["1:1 warning says-nothing"]);
  const head = "schema: ipvsadm/table/1\nservices: []\n";
  assert.deepEqual(await findingsIn(head), ["1:1 warning says-nothing"]);
  assert.deepEqual(await findingsIn(`${head}daemons: []\n`), []);
  assert.deepEqual(await findingsIn("--set 900 120 300\n"), []);
  assert.deepEqual(await findingsIn("-x\n"), ["1:1 error form"]);
});

test("findings quote a file as Unicode in every format", async () => {
  const messagesOf = async (text: string) => {
    const bytes = Buffer.from(text).toString("latin1");
    const file = await readRules("-", bytes, fakeLookups());
    return [...file.errors, ...warningsOf(file)].map(({ message }) => message);
  };
  const unknown = 'unknown scheduler "wöb世"';
  const classic = await messagesOf(`-A -t 192.0.2.1:80 -s wöb世\n${SERVER}`);
  assert.ok(classic.includes(unknown), classic.join());
  const yaml = await messagesOf(
    "schema: ipvsadm/table/1\nservices: [{firewallMark: 1, scheduler: wöb世}]\n",
  );
  assert.ok(yaml.includes(unknown), yaml.join());
  const [usageError = ""] = await messagesOf("-A -t 192.0.2.1:80 --wöb世\n");
  assert.match(usageError, /wöb世/);
});
