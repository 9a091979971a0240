import assert from "node:assert/strict";
import { test } from "node:test";
import { PERSISTENT } from "../../../src/ipvs/model.js";
import { parseJson } from "../../../src/document/parse-json.js";
import { parseYaml } from "../../../src/document/parse-yaml.js";
import { readTable } from "../../../src/document/read-table.js";
import type { ServiceRule } from "../../../src/ipvs/table.js";
import { COLUMNS } from "../../../src/commands/list/columns.js";
import { COLUMN_KEYS } from "../../../src/commands/list/column-keys.js";
import { listSpec } from "../../../src/commands/list/spec.js";
import { sortServers, sortServices } from "../../../src/view/order.js";
import { classic } from "../../classic/scripted-io.js";
import { serviceEntry } from "../../fixtures/entries.js";
import { kernelWith } from "../../fixtures/table-kernel.js";
import { invalidities } from "../../document/schema.js";
import { terminal, subcommand } from "../run-subcommand.js";
import { golden, goldenName, WIDTHS } from "../golden.js";
import { manyServices, SAMPLE } from "./sample.js";

const MANY = manyServices();

/** Runs a command line on a kernel with a table, at a terminal of some width without colors. */
function listed(line: string, table = SAMPLE, width?: number) {
  const io = terminal(width, { NO_COLOR: "1" });
  return subcommand(line, { link: kernelWith(table), io });
}

/** What it prints where all is well. */
async function printed(line: string, table = SAMPLE, width?: number) {
  const { stdout, stderr, status } = await listed(line, table, width);
  assert.deepEqual([stderr, status], ["", 0], line);
  return stdout;
}

for (const width of WIDTHS) {
  const at = `at width ${width ?? "of any size"}`;

  test(`a table with one of everything ${at}`, async () => {
    const text = await printed("list", SAMPLE, width);
    golden(goldenName("list/list", width), text);
    for (const line of text.split("\n"))
      assert.ok(line.length <= (width ?? Infinity), line);
  });

  test(`200 services ${at}`, async () => {
    const text = await printed("list", MANY, width);
    assert.ok(
      text.endsWith(`
200 services, 600 real servers
Most connections now: 539/s at tcp/192.0.2.27:80
Fewest connections now: 1/s at tcp/192.0.2.87:80

Out of order:
  overloaded  10.0.41.10:8080 of tcp/192.0.2.41:80
  draining    10.0.136.12:8080 of tcp/192.0.2.136:80
`),
    );
    if (width === 80) golden(goldenName("list/many", width), text);
    for (const line of text.split("\n"))
      assert.ok(line.length <= (width ?? Infinity), line);
  });

  test(`what is out of order in 200 services ${at}`, async () => {
    golden(
      goldenName("list/states", width),
      await printed("list --state draining,overloaded", MANY, width),
    );
  });
}

for (const [format, ending] of [
  ["json", "json"],
  ["ndjson", "ndjson"],
  ["csv", "csv"],
  ["yaml", "yaml"],
  ["rules", "rules"],
] as const)
  test(`a table with one of everything as ${format}, at any width`, async () => {
    const text = await printed(`list -o ${format}`);
    golden(`list/list.${ending}`, text);
    assert.equal(await printed(`list -o ${format}`, SAMPLE, 60), text);
  });

test("columns go in the order that the help states", () => {
  const dropped = COLUMN_KEYS.filter((key) => COLUMNS[key].drop !== undefined);
  const order = dropped.sort(
    (a, b) => (COLUMNS[b].drop ?? 0) - (COLUMNS[a].drop ?? 0),
  );
  const stated = listSpec.description.some((paragraph) =>
    paragraph.includes(`in this order: ${order.join(", ")};`),
  );
  assert.ok(stated, order.join(", "));
});

test("wide lines have all columns", async () => {
  assert.equal(
    await printed("list --wide", SAMPLE, 60),
    await printed("list", SAMPLE),
  );
});

test("the colors say what the words say, and change nothing else", async () => {
  const world = { link: kernelWith(SAMPLE), io: terminal(80) };
  const { stdout } = await subcommand("list", world);
  golden("list/colors.txt", stdout);
  assert.equal(
    stdout.replace(/\x1b\[[0-9;]*m/g, ""), // eslint-disable-line no-control-regex
    await printed("list", SAMPLE, 80),
  );
});

/** What a document says, but for the mark that the kernel sets. */
function settable(table: typeof SAMPLE): ServiceRule[] {
  return sortServices(table).map(({ key, settings, servers }) => ({
    key,
    settings,
    servers: sortServers(servers).map(({ key, settings }) => ({
      key,
      settings,
    })),
  }));
}

test("JSON and YAML are read back as the table", async () => {
  const json = readTable(parseJson(await printed("list -o json")));
  assert.deepEqual(json.table, { services: settable(SAMPLE) });
  const yaml = readTable(parseYaml(await printed("list -o yaml")));
  assert.deepEqual(yaml.table, { services: settable(SAMPLE) });
});

test("documents are as the published schema describes them", async () => {
  for (const table of [SAMPLE, []])
    for (const names of ["", " --names"]) {
      const json = await printed(`list -o json${names}`, table);
      assert.deepEqual(invalidities(JSON.parse(json)), []);
      const lines = await printed(`list -o ndjson${names}`, table);
      for (const line of lines.split("\n").slice(0, -1))
        assert.deepEqual(invalidities(JSON.parse(line), "#/$defs/service"), []);
    }
});

test("what is filtered is told to be a part, and only that", async () => {
  const partial = async (line: string) => {
    const json = await printed(`list -o json${line}`);
    assert.deepEqual(invalidities(JSON.parse(json)), []);
    const parts = [
      readTable(parseJson(json)).table.partial,
      readTable(parseYaml(await printed(`list -o yaml${line}`))).table.partial,
    ];
    assert.equal(parts[0], parts[1]);
    return parts[0];
  };
  for (const filter of [
    " tcp/192.0.2.1:80",
    " --state draining",
    " --protocol tcp",
    " --forwarding masq",
  ])
    assert.equal(await partial(filter), true, filter);
  for (const whole of ["", " --sort weight", " --names"])
    assert.equal(await partial(whole), undefined, whole);
});

test("rules are those of the classic -S", async () => {
  const { stdout } = await classic("-Sn", { link: kernelWith(SAMPLE) });
  assert.equal(await printed("list -o rules"), stdout);
});

test("an empty table is empty in every format", async () => {
  assert.equal(
    await printed("list --columns name,rate", []),
    "Service  Conn/s\nTotal         0\n0 services, 0 real servers\n",
  );
  for (const format of ["ndjson", "rules"])
    assert.equal(await printed(`list -o ${format}`, []), "");
  for (const [format, parse] of [
    ["json", parseJson],
    ["yaml", parseYaml],
  ] as const) {
    const text = await printed(`list -o ${format}`, []);
    assert.deepEqual(readTable(parse(text)).table, { services: [] });
  }
});

/** The first words of the lines of a table: of its services, or with blanks in front of its servers. */
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

test("services and servers are filtered", async () => {
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

test("a service keeps its own figures when servers are left out", async () => {
  const text = await printed(
    "list --state draining tcp/192.0.2.1:80 --columns name,weight,active",
  );
  assert.equal(
    text,
    `Service           Weight  Active
tcp/192.0.2.1:80    1005   12.5k
  10.0.0.12:8080       0       3
Total                      12.5k
1 service, 1 of their 4 real servers
`,
  );
});

test("the greatest comes first, or the smallest", async () => {
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

test("servers are sorted as services are", async () => {
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

test("every key sorts", async () => {
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

const NAMED = {
  names: {
    hostAddress: () => Promise.resolve(undefined),
    hostName: (text: string) =>
      Promise.resolve(
        text === "10.0.0.71"
          ? "=rs\x1b[2J,71"
          : text === "192.0.2.1"
            ? "web.example"
            : undefined,
      ),
    servicePort: () => undefined,
    serviceName: (port: number) => (port === 80 ? "http" : undefined),
  },
};

test("names are shown where there are some, and cannot steer the terminal", async () => {
  for (const format of ["table", "csv", "json", "yaml", "ndjson", "rules"]) {
    const world = { link: kernelWith(SAMPLE), io: NAMED };
    const { stdout, status } = await subcommand(
      `list --names -o ${format}`,
      world,
    );
    assert.equal(status, 0);
    assert.match(stdout, /web\.example:http/, format);
    assert.match(stdout, /=rs\?\[2J,71:0/, format);
    assert.doesNotMatch(stdout, /[\0-\x09\x0b-\x1f\x7f-\x9f]/, format); // eslint-disable-line no-control-regex
    if (format === "csv")
      assert.match(stdout, /^server,fwm\/7,"'=rs\?\[2J,71:0",/m);
  }
});

test("a name goes beside the numbers, by which a document is read", async () => {
  const world = { link: kernelWith(SAMPLE), io: NAMED };
  const { stdout } = await subcommand("list --names -o json", world);
  assert.deepEqual(
    readTable(parseJson(stdout)).table.services,
    settable(SAMPLE),
  );
});

test("names that the kernel tells cannot steer the terminal", async () => {
  const steering = serviceEntry(
    { family: 2, firewallMark: 1 },
    {
      scheduler: "a\x9b2J",
      flags: PERSISTENT,
      timeoutSeconds: 1,
      persistenceEngine: "\x1b[2J",
    },
  );
  for (const format of ["table", "csv", "json", "yaml", "ndjson", "rules"])
    assert.doesNotMatch(
      await printed(`list -o ${format}`, [steering]),
      /[\0-\x09\x0b-\x1f\x7f-\x9f]/, // eslint-disable-line no-control-regex
      format,
    );
});

for (const [line, said, status] of [
  [
    "list tcp/192.0.2.1:81",
    "there is no service tcp/192.0.2.1:81: did you mean tcp/192.0.2.1:80?",
    1,
  ],
  [
    "list 10.9.8.7",
    "there is no service 10.9.8.7: there are tcp/192.0.2.1:80, udp/[2001:db8:1234:5678:9abc:def0:1234:5678]:53, sctp/192.0.2.3:3868, fwm/7, …",
    1,
  ],
  [
    "list nonsense/1",
    "nonsense/1 is not a service: write 192.0.2.1:80, tcp/192.0.2.1:80, udp/[2001:db8::1]:53, fwm/7 or fwm6/7",
    2,
  ],
  [
    "list --server 10.9.9.9",
    "no service has the real server 10.9.9.9: 'ipvsadm list' shows those that there are",
    1,
  ],
  [
    "list --server nobody.example",
    "host nobody.example has no IPv4 address: check its name, or give an address",
    2,
  ],
  ["list --scheduler wr", "no service has scheduler wr: did you mean wrr?", 1],
  [
    "list --protocol tpc",
    "--protocol tpc is not one of tcp, udp, sctp, fwm: did you mean tcp? see 'ipvsadm list --help'",
    2,
  ],
  [
    "list --state drainig",
    "--state drainig is not one of ok, maybe-overloaded, draining, overloaded, all-overloaded, all-drained, no-servers: did you mean draining? see 'ipvsadm list --help'",
    2,
  ],
  [
    "list --sort rat",
    "--sort rat is not one of name, state, weight, active, connections, persistent, rate, traffic, total, bytes: did you mean rate? see 'ipvsadm list --help'",
    2,
  ],
  [
    "list --columns weigth,name",
    "--columns weigth is not one of name, state, method, weight, share, active, inactive, persistent, limits, rate, in-rate, out-rate, packets-in-rate, packets-out-rate, total, in, out, packets-in, packets-out: did you mean weight? see 'ipvsadm list --help'",
    2,
  ],
  [
    "list --columns name -o json",
    "--columns goes with table and csv, not json: see 'ipvsadm list --help'",
    2,
  ],
] as const)
  test(`one line for ${line}`, async () => {
    const outcome = await listed(line);
    assert.deepEqual(
      [outcome.stdout, outcome.stderr, outcome.status],
      ["", `ipvsadm: ${said}\n`, status],
    );
  });

test("in an empty table there is no service to choose", async () => {
  const { stderr, status } = await listed("list fwm/7", []);
  assert.equal(
    stderr,
    "ipvsadm: there is no service fwm/7: there is no service at all\n",
  );
  assert.equal(status, 1);
});
