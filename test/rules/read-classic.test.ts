import assert from "node:assert/strict";
import { test } from "node:test";
import { formatEndpoint } from "../../src/ipvs/model.js";
import { formatSelector } from "../../src/grammar/selector.js";
import type { RuleFile } from "../../src/rules/rule-file.js";
import { readRules } from "../../src/rules/read-rules.js";
import { findingsIn } from "./findings.js";
import { fakeLookups } from "./name-lookups.js";

const read = (text: string, names = fakeLookups()) =>
  readRules("-", text, names);

/** `tcp/192.0.2.1:80 wlc 192.0.2.10:80*1` */
function shown({ table }: RuleFile): string[] {
  return table.services.map(({ key, settings, servers }) =>
    [
      formatSelector(key),
      settings.scheduler,
      ...servers.map(
        ({ key: { address, port }, settings: { weight } }) =>
          `${formatEndpoint(address, port)}*${weight}`,
      ),
    ].join(" "),
  );
}

test("readRules() applies commands in order to an empty table", async () => {
  const file = await read(`
# by hand
ipvsadm -C
-A -t 192.0.2.1:80
-a -t 192.0.2.1:80 -r 192.0.2.10 -m -w 3
-a -t 192.0.2.1:80 -r 192.0.2.11 -m
-A -u 192.0.2.1:53 -s rr
-E -t 192.0.2.1:80 -s sh
-e -t 192.0.2.1:80 -r 192.0.2.10 -m -w 7
-d -t 192.0.2.1:80 -r 192.0.2.11
-Z -t 192.0.2.1:80
-Z
-D -u 192.0.2.1:53
`);
  assert.deepEqual(file.errors, []);
  assert.deepEqual(shown(file), ["tcp/192.0.2.1:80 sh 192.0.2.10:80*7"]);
  const [service] = file.table.services;
  const [server] = service?.servers ?? [];
  assert.ok(service && server);
  assert.deepEqual(file.positionOf(service), { line: 8, column: 1 });
  assert.deepEqual(file.positionOf(server), { line: 9, column: 1 });
  assert.deepEqual(file.positionOf(server, "weight"), { line: 9, column: 40 });
  assert.equal(file.line(8), "-E -t 192.0.2.1:80 -s sh");
});

test("readRules() leaves out timeouts and sync daemons that the file does not contain", async () => {
  assert.deepEqual((await read("-C\n")).table, { services: [] });
  const { table, errors } = await read(
    `--set 100 0 0\n--set 0 0 30\n--start-daemon master --mcast-interface eth1\n--start-daemon backup\n--stop-daemon master\n`,
  );
  assert.deepEqual(errors, []);
  assert.deepEqual(table, {
    services: [],
    timeouts: { tcpSeconds: 100, tcpFinSeconds: 0, udpSeconds: 30 },
    daemons: [{ state: 2, multicastInterface: "eth0", syncId: 0 }],
  });
});

test("readRules() reports each malformed line at the wrong word, and reads the others", async () => {
  assert.deepEqual(
    await findingsIn(`-A -t 192.0.2.1:80 -s rr
	-a -t 192.0.2.1:80  -r 192.0.2.10 -w heavy
-a -t 192.0.2.1:80 -r 192.0.2.11 -m -w7x
-a -t 192.0.2.1:80 -r 192.0.2.12 --wieght 3
foo
-L -n
-A -t 192.0.2.1:80 -w 3
-A
-R
--start-daemon foo
-A -t 192.0.2.2:0
-a -t 192.0.2.1:80 -r 192.0.2.13 -m --tun-csum
-a -t 192.0.2.1:80 -r 2001:db8::1 -m
ipvsadm -A -t 192.0.2.1:80 -o
-6 ü -A
é -A
`),
    [
      "2:39 error form",
      "3:37 error form",
      "4:34 error form",
      "5:1 error form",
      "6:1 error not-a-rule",
      "7:23 error form",
      "8:1 error form",
      "9:1 error not-a-rule",
      "10:16 error form",
      "11:7 error form",
      "12:37 error form",
      "13:23 error form",
      "14:28 error form",
      "15:1 error form",
      "16:1 error form",
    ],
  );
});

test("readRules() counts columns in characters, not bytes", async () => {
  const file = await readRules(
    "-",
    Buffer.from(
      "--start-daemon master --mcast-interface é世0 --syncid x",
    ).toString("latin1"),
    fakeLookups(),
  );
  assert.deepEqual(file.errors[0]?.position, { line: 1, column: 54 });
});

test("readRules() reports unknown and duplicate services and servers", async () => {
  const file = await read(`-a -t 192.0.2.1:80 -r 192.0.2.10 -m
-A -t 192.0.2.1:80
-A -t 192.0.2.1:80
-a -t 192.0.2.1:80 -r 192.0.2.10 -m
-a -t 192.0.2.1:80 -r 192.0.2.10:80 -m
-e -t 192.0.2.1:80 -r 192.0.2.11 -m
-d -t 192.0.2.1:80 -r 192.0.2.11
-E -t 192.0.2.2:80
-D -t 192.0.2.2:80
-Z -t 192.0.2.2:80
--start-daemon master
--start-daemon master
--stop-daemon backup
`);
  assert.deepEqual(
    file.errors.map(({ position, id }) => [position.line, id]),
    [
      [1, "undefined-service"],
      [3, "duplicate"],
      [5, "duplicate"],
      [6, "undefined-server"],
      [7, "undefined-server"],
      [8, "undefined-service"],
      [9, "undefined-service"],
      [10, "undefined-service"],
      [12, "duplicate"],
      [13, "no-daemon"],
    ],
  );
  const texts = file.errors.map(
    ({ message, advice }) => `${message}; ${advice ?? ""}`,
  );
  assert.match(
    texts[0] ?? "",
    /; it is added in line 2: move this line below it$/,
  );
  assert.match(texts[1] ?? "", /^duplicate service, first in line 2/);
  assert.match(texts[2] ?? "", /^duplicate real server, first in line 4/);
  assert.match(texts[5] ?? "", /add it with -A on a line above/);
});

test("readRules() reports no errors for the servers of a malformed service", async () => {
  assert.deepEqual(
    await findingsIn(`-A -t 192.0.2.1:80 -s rr -w 3
-a -t 192.0.2.1:80 -r 192.0.2.10 -m
-A -f 7 -p 0
-a -f 7 -r 192.0.2.10 -m
`),
    ["1:29 error form", "3:12 error form"],
  );
});

test("readRules() does not count a malformed server as missing", async () => {
  assert.deepEqual(
    await findingsIn(`-A -t 192.0.2.1:80 -s wlcc
-a -t 192.0.2.1:80 -r 192.0.2.10 -m -w heavy
-a -t 192.0.2.1:80 -r 192.0.2.11 -m -w 0
`),
    ["2:40 error form", "1:23 warning unknown-scheduler"],
  );
});

test("readRules() looks up each host once, in parallel, and names unknown ones", async () => {
  const asked: string[] = [];
  const names = {
    ...fakeLookups({ "web.example": "192.0.2.1" }, { "http/tcp": 80 }),
    hostAddress(name: string) {
      asked.push(name);
      return Promise.resolve(
        { "web.example": "192.0.2.1", one: "192.0.2.10" }[name],
      );
    },
  };
  const file = await readRules(
    "-",
    `-A -t web.example:http
-a -t web.example:http -r one -m
-a -t web.example:http -r two:8080 -m
-a -t web.example:http -r 192.0.2.300 -m
-a -t web.example:htp -r one -m
`,
    names,
  );
  assert.deepEqual(asked.sort(), ["one", "two", "web.example"]);
  assert.deepEqual(shown(file), ["tcp/192.0.2.1:80 wlc 192.0.2.10:80*1"]);
  assert.deepEqual(
    file.errors.map(({ position: { line, column } }) => `${line}:${column}`),
    ["3:27", "4:27", "5:7"],
  );
  assert.match(file.errors[0]?.advice ?? "", /^host two has no IPv4 address/);
  assert.match(file.errors[1]?.advice ?? "", /^-r HOST/);
});

test("readRules() accepts the line ends of other systems", async () => {
  assert.deepEqual(
    await findingsIn("-A -f 1\r\n-a -f 1 -r 192.0.2.1 -m\r\n"),
    [],
  );
});

/** Pasted lines, and the advice for each. */
const PASTED: readonly (readonly [line: string, advice: RegExp])[] = [
  ["–A –t 192.0.2.1:80", /^"–" is a typographic dash: write "-" or "--"$/],
  ["-A –t 192.0.2.1:80", /^"–" is a typographic dash/],
  ["-A -t 192.0.2.1:80 —scheduler rr", /^"—" is a typographic dash/],
  ["-A\u00a0-t 192.0.2.1:80", /^replace the non-breaking spaces/],
  ["$ ipvsadm -A -t 192.0.2.1:80", /^remove the shell prompt$/],
  ["root@lb1:~# ipvsadm -A -t 192.0.2.1:80", /^remove the shell prompt$/],
  ["[root@lb1 ~]# ipvsadm -A -t 192.0.2.1:80", /^remove the shell prompt$/],
  ["sudo ipvsadm -A -t 192.0.2.1:80", /^remove sudo$/],
  ["/sbin/ipvsadm -A -t 192.0.2.1:80", /^write ipvsadm without its path/],
  ["-A -t 192.0.2.1:80 # web", /^a comment needs its own line$/],
  ["-A -t 192.0.2.1:80 -s rr \\", /^a rule cannot continue on the next line$/],
  ["-A -t 192.0.2.1:80 'rr'", /^remove the quotes/],
  ["-A -t 192.0.2.1:80; -A -f 7", /^write each rule on its own line$/],
  [
    "-A -t 192.0.2.1:80 && ipvsadm -A -f 7",
    /^write each rule on its own line$/,
  ],
  [
    "-A -t 192.0.2.1:80 -a -t 192.0.2.1:80 -r 192.0.2.10",
    /^write each rule on its own line$/,
  ],
  [
    "-a -t 192.0.2.1:80 -r 192.0.2.10 (null) -w 1",
    /^replace \(null\) by the forwarding method/,
  ],
  ["-A -t 2001:db8::1:80", /^write \[2001:db8::1\]:80$/],
  ["-A -t 2001:db8:0:0:0:0:0:1:80", /^write \[2001:db8:0:0:0:0:0:1\]:80$/],
  ["-A -t [2001:db8::1]", /^the port is missing: write \[2001:db8::1\]:PORT$/],
  ["-a -f 7 -r [2001:db8::3] -m", /write \[2001:db8::3\]:PORT$/],
  ["-A -t 192.0.2.1", /^give the port of the service, or add -p/],
  ["-A -t 192.0.2.1:0", /^give the port of the service, or add -p/],
];

for (const [line, advice] of PASTED)
  test(`readRules() advises what to do about ${line}`, async () => {
    const bytes = Buffer.from(`-A -f 7\n${line}\n`).toString("latin1");
    const { errors } = await readRules("-", bytes, fakeLookups());
    assert.equal(errors.length, 1);
    assert.equal(errors[0]?.position.line, 2);
    assert.match(errors[0].advice ?? "", advice);
  });

/** Texts that are not rules, and the only error for each. */
const FOREIGN: readonly (readonly [text: string, message: RegExp])[] = [
  [
    `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn
TCP  192.0.2.1:80 rr
  -> 10.0.0.1:80                  Masq    1      0          0
`,
    /^this is a listing, not rules$/,
  ],
  [
    `# ipvsadm -Ln
$ ipvsadm -Ln
IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
`,
    /^this is a listing, not rules$/,
  ],
  [
    `Service                     State           Method        Weight  Active  Conn/s
tcp/192.0.2.1:80            ok              wrr              1005   12.5k      12
  10.0.0.11:8080            ok              masq                5   12.3k      12
Total                                                            12.5k      12
1 service, 1 real server
`,
    /^this is the table that 'ipvsadm list' prints for people/,
  ],
  ["*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n", /^these are rules of iptables/],
  ["one\ntwo\nthree\n", /^this is not a file of rules/],
];

for (const [text, message] of FOREIGN)
  test(`readRules() reports a single error for a text such as ${text.split("\n", 1)[0] ?? ""}`, async () => {
    const { errors, textWarnings } = await readRules("-", text, fakeLookups());
    assert.equal(errors.length, 1);
    assert.match(errors[0]?.message ?? "", message);
    assert.notEqual(errors[0]?.advice, undefined);
    assert.deepEqual(textWarnings, []);
  });

test("readRules() reads megabytes of empty lines in linear time", async () => {
  const seconds = async (lines: number) => {
    const start = process.cpuUsage();
    for (const name of ["a", "a.json", "a.yaml"])
      await readRules(name, "\n".repeat(lines), fakeLookups());
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1e6;
  };
  await seconds(10_000);
  const small = await seconds(500_000);
  const large = await seconds(5_000_000);
  assert.ok(large < 40 * small + 1, `${small} s, then ${large} s`);
});
