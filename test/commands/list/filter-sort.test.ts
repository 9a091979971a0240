import assert from "node:assert/strict";
import { test } from "node:test";
import { printed } from "./run-list.js";
import { manyServices, SAMPLE } from "./sample.js";

const MANY = manyServices();

/** The names of the listed services; those of servers are indented. */
async function names(line: string, table = SAMPLE): Promise<string[]> {
  const text = await printed(`${line} --columns name`, table);
  const lines = text.split("\n");
  return lines.slice(1, lines.indexOf("Total"));
}

const [MARK6, WEB, SCTP, DNS, MARK] = [
  "fwm6/4294967295",
  "tcp/192.0.2.1:80",
  "sctp/192.0.2.3:3868",
  "udp/[2001:db8:1234:5678:9abc:def0:1234:5678]:53",
  "fwm/7",
];

test("list filters services and servers", async () => {
  const DRAINED = ["  10.0.0.71:0", "  10.0.0.72:0"];
  for (const [words, expected] of [
    ["--protocol sctp", [SCTP]],
    ["--protocol fwm --state no-servers", []],
    [
      "--protocol sctp,fwm --state all-drained,no-servers",
      [SCTP, MARK, ...DRAINED],
    ],
    ["--scheduler rr", [MARK, ...DRAINED]],
    ["--server 10.0.0.12", [WEB, "  10.0.0.12:8080"]],
    [
      "--server 10.0.0.12:8080 --server 10.0.0.71",
      [WEB, "  10.0.0.12:8080", MARK, "  10.0.0.71:0"],
    ],
    ["--forwarding local", [DNS, "  [2001:db8::53]:53"]],
    [
      "--state overloaded",
      [MARK6, "  [2001:db8::72]:0", WEB, "  10.0.0.13:8080"],
    ],
    ["--state maybe-overloaded", [WEB, "  10.0.0.14:8080"]],
    ["--state draining --forwarding masq", [WEB, "  10.0.0.12:8080"]],
    ["--state no-servers --forwarding masq", []],
    [
      "--state all-overloaded",
      [MARK6, "  [2001:db8::71]:0", "  [2001:db8::72]:0"],
    ],
    ["fwm/7 sctp/192.0.2.3", [SCTP, MARK, ...DRAINED]],
    ["192.0.2.1 --state ok", [WEB, "  10.0.0.11:8080"]],
  ] as const)
    assert.deepEqual(await names(`list ${words}`), expected, words);
});

test("list shows the figures of the whole service if a filter hides servers", async () => {
  const text = await printed(
    "list --state draining tcp/192.0.2.1:80 --columns name,weight,active",
  );
  assert.equal(
    text,
    `Service           Weight  Active
tcp/192.0.2.1:80    1005   12.5k
  10.0.0.12:8080       0       3
Total                      12.5k
1 service, 1 of its 4 real servers
`,
  );
});

test("list --sort puts the greatest first, and --reverse the smallest", async () => {
  const services = async (words: string) =>
    (await names(`list${words}`, MANY)).filter((name) => !name.startsWith(" "));
  assert.equal(
    (await services(" --sort rate --reverse"))[0],
    "tcp/192.0.2.87:80",
  );
  assert.equal((await services(" --sort rate")).at(-1), "tcp/192.0.2.87:80");
  assert.equal((await services(" --sort state"))[0], "tcp/192.0.2.41:80");
  assert.equal((await services(" --sort state"))[1], "tcp/192.0.2.136:80");
  const byName = await services("");
  assert.deepEqual(await services(" --reverse"), byName.toReversed());
  assert.deepEqual(byName.slice(0, 2), [
    "tcp/192.0.2.0:80",
    "tcp/192.0.2.1:80",
  ]);
});

test("list --sort also sorts the servers of a service", async () => {
  const of = async (words: string) =>
    (await names(`list tcp/192.0.2.1:80 ${words}`))
      .slice(1)
      .map((name) => name.slice(-7, -5));
  assert.deepEqual(await of("--sort weight"), ["14", "11", "13", "12"]);
  assert.deepEqual(await of("--sort connections"), ["11", "13", "14", "12"]);
  assert.deepEqual(await of("--sort state"), ["13", "12", "14", "11"]);
  assert.deepEqual(await of("--sort bytes --reverse"), [
    "12",
    "13",
    "14",
    "11",
  ]);
});

test("list accepts every sort key", async () => {
  for (const key of [
    "name",
    "state",
    "weight",
    "active",
    "connections",
    "persistent",
    "rate",
    "traffic",
    "total",
    "bytes",
  ])
    assert.equal((await names(`list --sort ${key}`)).length, 17, key);
});
