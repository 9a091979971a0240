import assert from "node:assert/strict";
import { test } from "node:test";
import { formatEndpoint } from "../../src/ipvs/model.js";
import { formatSelector } from "../../src/grammar/selector.js";
import type { RuleFile } from "../../src/rules/rule-file.js";
import { readRules } from "../../src/rules/read-rules.js";
import { found } from "./findings.js";
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

test("commands are carried out in their order on an empty table", async () => {
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
  assert.deepEqual(file.faults, []);
  assert.deepEqual(shown(file), ["tcp/192.0.2.1:80 sh 192.0.2.10:80*7"]);
  const [service] = file.table.services;
  const [server] = service?.servers ?? [];
  assert.ok(service && server);
  assert.deepEqual(file.placeOf(service), { line: 8, column: 1 });
  assert.deepEqual(file.placeOf(server), { line: 9, column: 1 });
  assert.deepEqual(file.placeOf(server, "weight"), { line: 9, column: 40 });
  assert.equal(file.line(8), "-E -t 192.0.2.1:80 -s sh");
});

test("timeouts and sync daemons are spoken of, or are not", async () => {
  assert.deepEqual((await read("-C\n")).table, { services: [] });
  const { table, faults } = await read(
    `--set 100 0 0\n--set 0 0 30\n--start-daemon master --mcast-interface eth1\n--start-daemon backup\n--stop-daemon master\n`,
  );
  assert.deepEqual(faults, []);
  assert.deepEqual(table, {
    services: [],
    timeouts: { tcpSeconds: 100, tcpFinSeconds: 0, udpSeconds: 30 },
    daemons: [{ state: 2, multicastInterface: "eth0", syncId: 0 }],
  });
});

test("a line at fault is told with the word that is, and the others are read all the same", async () => {
  assert.deepEqual(
    await found(`-A -t 192.0.2.1:80 -s rr
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

test("columns count characters, not bytes", async () => {
  const file = await readRules(
    "-",
    Buffer.from(
      "--start-daemon master --mcast-interface é世0 --syncid x",
    ).toString("latin1"),
    fakeLookups(),
  );
  assert.deepEqual(file.faults[0]?.place, { line: 1, column: 54 });
});

test("what the table does not have, or has already, is told as the kernel would", async () => {
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
    file.faults.map(({ place, id }) => [place.line, id]),
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
  const said = file.faults.map(
    ({ fault, advice }) => `${fault}; ${advice ?? ""}`,
  );
  assert.match(said[0] ?? "", /added later, in line 2/);
  assert.match(said[1] ?? "", /see line 2/);
  assert.match(said[2] ?? "", /see line 4/);
  assert.match(said[5] ?? "", /add it first with -A/);
});

test("a service whose line is at fault is no reason to complain of its servers", async () => {
  assert.deepEqual(
    await found(`-A -t 192.0.2.1:80 -s rr -w 3
-a -t 192.0.2.1:80 -r 192.0.2.10 -m
-A -f 7 -p 0
-a -f 7 -r 192.0.2.10 -m
`),
    ["1:29 error form", "3:12 error form"],
  );
});

test("a server that cannot be read leaves its service alone", async () => {
  assert.deepEqual(
    await found(`-A -t 192.0.2.1:80 -s wlcc
-a -t 192.0.2.1:80 -r 192.0.2.10 -m -w heavy
-a -t 192.0.2.1:80 -r 192.0.2.11 -m -w 0
`),
    ["2:40 error form", "1:23 warning unknown-scheduler"],
  );
});

test("hosts are looked up once each, all together, and a fault names the one that is unknown", async () => {
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
    file.faults.map(({ place: { line, column } }) => `${line}:${column}`),
    ["3:27", "4:27", "5:7"],
  );
  assert.match(file.faults[0]?.advice ?? "", /for host two: /);
  assert.match(file.faults[1]?.advice ?? "", /^-r HOST/);
});

test("a byte order mark and the ends of lines of other systems are no matter", async () => {
  assert.deepEqual(
    await found("\ufeff-A -f 1\r\n-a -f 1 -r 192.0.2.1 -m\r\n"),
    [],
  );
});
