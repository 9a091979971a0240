import assert from "node:assert/strict";
import { test } from "node:test";
import { PERSISTENT } from "../../../src/ipvs/model.js";
import { parseJson } from "../../../src/document/parse-json.js";
import { parseYaml } from "../../../src/document/parse-yaml.js";
import { readTable } from "../../../src/document/read-table.js";
import type { ServiceRule } from "../../../src/ipvs/table.js";
import { columnsWith } from "../../../src/commands/list/columns.js";
import { endpointNames } from "../../../src/commands/list/endpoint-names.js";
import { COLUMN_KEYS } from "../../../src/commands/list/option-values.js";
import { numericName } from "../../../src/runtime/name-book.js";
import { listSpec } from "../../../src/commands/list/spec.js";
import { sortServers, sortServices } from "../../../src/view/order.js";
import { classic } from "../../classic/scripted-io.js";
import { serviceEntry } from "../../fixtures/entries.js";
import { kernelWith } from "../../fixtures/table-kernel.js";
import { invalidities } from "../../document/schema.js";
import { terminal, subcommand } from "../run-subcommand.js";
import { golden, goldenName, WIDTHS } from "../golden.js";
import { listed, printed } from "./run-list.js";
import { manyServices, SAMPLE } from "./sample.js";

const MANY = manyServices();

for (const width of WIDTHS) {
  const at = `at width ${width ?? "unlimited"}`;

  test(`list prints a table with one of everything ${at}`, async () => {
    const text = await printed("list", SAMPLE, width);
    golden(goldenName("list/list", width), text);
    for (const line of text.split("\n"))
      assert.ok(line.length <= (width ?? Infinity), line);
  });

  test(`list summarizes 200 services ${at}`, async () => {
    const text = await printed("list", MANY, width);
    assert.ok(
      text.endsWith(`
200 services, 600 real servers
Highest connection rate: 539/s at tcp/192.0.2.27:80
Lowest connection rate: 1/s at tcp/192.0.2.87:80

Needs attention:
  overloaded  10.0.41.10:8080 of tcp/192.0.2.41:80
  draining    10.0.136.12:8080 of tcp/192.0.2.136:80
`),
    );
    if (width === 80) golden(goldenName("list/many", width), text);
    for (const line of text.split("\n"))
      assert.ok(line.length <= (width ?? Infinity), line);
  });

  test(`list --state finds states in 200 services ${at}`, async () => {
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
  test(`list -o ${format} prints one of everything, whatever the width`, async () => {
    const text = await printed(`list -o ${format}`);
    golden(`list/list.${ending}`, text);
    assert.equal(await printed(`list -o ${format}`, SAMPLE, 60), text);
  });

test("list drops columns in the order that the help states", () => {
  const columns = columnsWith(endpointNames(numericName));
  const dropped = COLUMN_KEYS.filter((key) => columns[key].drop !== undefined);
  const order = dropped.sort(
    (a, b) => (columns[b].drop ?? 0) - (columns[a].drop ?? 0),
  );
  const stated = listSpec.description.some((paragraph) =>
    paragraph.includes(`in this order: ${order.join(", ")}.`),
  );
  assert.ok(stated, order.join(", "));
});

test("list --wide prints all columns", async () => {
  assert.equal(
    await printed("list --wide", SAMPLE, 60),
    await printed("list", SAMPLE),
  );
});

test("list prints the same text with colors", async () => {
  const world = { link: kernelWith(SAMPLE), io: terminal(80) };
  const { stdout } = await subcommand("list", world);
  golden("list/colors.txt", stdout);
  assert.equal(
    stdout.replace(/\x1b\[[0-9;]*m/g, ""), // eslint-disable-line no-control-regex
    await printed("list", SAMPLE, 80),
  );
});

/** The part of a table that can be configured. */
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

test("list prints JSON and YAML that is read back as the same table", async () => {
  const json = readTable(parseJson(await printed("list -o json")));
  assert.deepEqual(json.table, { services: settable(SAMPLE) });
  const yaml = readTable(parseYaml(await printed("list -o yaml")));
  assert.deepEqual(yaml.table, { services: settable(SAMPLE) });
});

test("list prints JSON and ndjson that matches the published schema", async () => {
  for (const table of [SAMPLE, []])
    for (const names of ["", " --names"]) {
      const json = await printed(`list -o json${names}`, table);
      assert.deepEqual(invalidities(JSON.parse(json)), []);
      const lines = await printed(`list -o ndjson${names}`, table);
      for (const line of lines.split("\n").slice(0, -1))
        assert.deepEqual(
          invalidities(JSON.parse(line), "", "ipvsadm/service/1"),
          [],
        );
    }
});

/** A value of JSON as CSV has it. */
function csvValue(value: unknown): string {
  if (Array.isArray(value)) return value.join(" ");
  return typeof value === "string"
    ? value
    : value === undefined
      ? ""
      : JSON.stringify(value);
}

test("list prints the fields of JSON in CSV, with the same names and values", async () => {
  const csv = await printed("list -o csv");
  const [titles = [], ...lines] = csv
    .trimEnd()
    .split("\n")
    .map((line) => line.split(","));
  const json = JSON.parse(
    (await printed("list -o json")).replace(/: ([0-9]{10,})/g, ': "$1"'),
  ) as { services: Record<string, unknown>[] };
  const records = json.services.flatMap(({ servers, ...service }) => [
    { kind: "service", ...service },
    ...(servers as object[]).map((server) => ({
      kind: "server",
      service: service["service"],
      ...server,
    })),
  ]);
  assert.deepEqual(
    lines,
    records.map((record) =>
      titles.map((title) =>
        csvValue(
          title
            .split(".")
            .reduce<unknown>(
              (value, name) =>
                (value as Record<string, unknown> | undefined)?.[name],
              record,
            ),
        ),
      ),
    ),
  );
  // And CSV leaves nothing out but settings that have no column.
  const leaves = new Set(records.flatMap((record) => [...leavesOf(record)]));
  for (const title of titles) leaves.delete(title);
  assert.deepEqual([...leaves], []);
});

/** The paths of all values. */
function* leavesOf(value: object, prefix = ""): Generator<string> {
  for (const [name, item] of Object.entries(value) as [string, unknown][])
    if (typeof item === "object" && item !== null && !Array.isArray(item))
      yield* leavesOf(item, `${prefix}${name}.`);
    else yield prefix + name;
}

test("list marks a filtered document as partial, and no other", async () => {
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

test("list -o rules prints what -S prints", async () => {
  const { stdout } = await classic("-Sn", { link: kernelWith(SAMPLE) });
  assert.equal(await printed("list -o rules"), stdout);
});

test("list prints an empty table in every format", async () => {
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

test("list --names shows names without control characters", async () => {
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
      assert.match(stdout, /^server,fwm\/7,10\.0\.0\.71:0,"'=rs\?\[2J,71:0",/m);
  }
});

test("list --names keeps the numbers in JSON", async () => {
  const world = { link: kernelWith(SAMPLE), io: NAMED };
  const { stdout } = await subcommand("list --names -o json", world);
  assert.deepEqual(
    readTable(parseJson(stdout)).table.services,
    settable(SAMPLE),
  );
});

test("list escapes names that come from the kernel", async () => {
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

for (const [line, message, status] of [
  [
    "list tcp/192.0.2.1:81",
    "there is no service tcp/192.0.2.1:81: did you mean tcp/192.0.2.1:80?",
    1,
  ],
  [
    "list 10.9.8.7",
    "there is no service 10.9.8.7: services in the table: tcp/192.0.2.1:80, udp/[2001:db8:1234:5678:9abc:def0:1234:5678]:53, sctp/192.0.2.3:3868, fwm/7, ...",
    1,
  ],
  [
    "list nonsense/1",
    "nonsense/1 is not a service: write 192.0.2.1:80, tcp/192.0.2.1:80, udp/[2001:db8::1]:53, fwm/7 or fwm6/7",
    2,
  ],
  [
    "list --server 10.9.9.9",
    "no service has the real server 10.9.9.9: 'ipvsadm list' shows all real servers",
    1,
  ],
  [
    "list --server nobody.example",
    "host nobody.example has no IPv4 address: check the name, or give an address",
    2,
  ],
  [
    "list 203.0.113.0/24",
    "there is no service in 203.0.113.0/24: services in the table: tcp/192.0.2.1:80, udp/[2001:db8:1234:5678:9abc:def0:1234:5678]:53, sctp/192.0.2.3:3868, fwm/7, ...",
    1,
  ],
  [
    "list --server 10.9.0.0/16",
    "no service has a real server in 10.9.0.0/16: 'ipvsadm list' shows all real servers",
    1,
  ],
  [
    "list 192.0.2.0/33",
    "192.0.2.0/33 is not a service: write 192.0.2.1:80, tcp/192.0.2.1:80, udp/[2001:db8::1]:53, fwm/7 or fwm6/7",
    2,
  ],
  [
    "list --server 10.0.0.0/33",
    "--server 10.0.0.0/33: expected a real server such as 10.0.0.7:80 or a network such as 10.0.0.0/8: see 'ipvsadm list --help'",
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
    "--columns works with the formats table and csv, not with json: see 'ipvsadm list --help'",
    2,
  ],
] as const)
  test(`${line} fails with one line`, async () => {
    const outcome = await listed(line);
    assert.deepEqual(
      [outcome.stdout, outcome.stderr, outcome.status],
      ["", `ipvsadm: ${message}\n`, status],
    );
  });

test("list says that the table is empty if a named service is missing", async () => {
  const { stderr, status } = await listed("list fwm/7", []);
  assert.equal(
    stderr,
    "ipvsadm: there is no service fwm/7: the table is empty\n",
  );
  assert.equal(status, 1);
});

test("list has other names, and help describes them", async () => {
  for (const name of ["ls", "show"]) {
    assert.equal(await printed(name), await printed("list"));
    assert.match(
      await printed(`help ${name}`),
      /^Usage: ipvsadm list .*^Other names: ls, show\.$/ms,
    );
  }
});

test("list -n shows numbers, as it does anyway", async () => {
  assert.equal(await printed("list -n"), await printed("list"));
  const { stderr, status } = await listed("list -n --names");
  assert.match(stderr, /--numeric and --names exclude each other/);
  assert.equal(status, 2);
});

test("list --no-header prints only the rows", async () => {
  const whole = (await printed("list", SAMPLE, 100)).split("\n");
  const rows = (await printed("list --no-header", SAMPLE, 100)).split("\n");
  assert.deepEqual(rows.slice(0, -1), whole.slice(1, 1 + rows.length - 1));
  assert.match(whole[rows.length] ?? "", /^Total /);
  assert.equal(await printed("list --no-header", []), "");
  const csv = await printed("list -o csv");
  assert.equal(
    await printed("list -o csv --no-header"),
    csv.slice(csv.indexOf("\n") + 1),
  );
  assert.match(
    (await listed("list --no-header -o json")).stderr,
    /--no-header works with the formats table and csv, not with json/,
  );
});

for (const [filter, services] of [
  ["192.0.2.0/24", ["tcp/192.0.2.1:80", "sctp/192.0.2.3:3868"]],
  ["192.0.2.0/31", ["tcp/192.0.2.1:80"]],
  ["tcp/0.0.0.0/0", ["tcp/192.0.2.1:80"]],
  ["192.0.2.0/24:3868", ["sctp/192.0.2.3:3868"]],
  ["2001:db8::/32", ["udp/[2001:db8:1234:5678:9abc:def0:1234:5678]:53"]],
  [
    "udp/[2001:db8::/32]:53",
    ["udp/[2001:db8:1234:5678:9abc:def0:1234:5678]:53"],
  ],
  ["udp/2001:db8::/32:53", ["udp/[2001:db8:1234:5678:9abc:def0:1234:5678]:53"]],
  ["fwm/7 192.0.2.3/32", ["sctp/192.0.2.3:3868", "fwm/7"]],
  ["--server 10.0.0.12/30", ["tcp/192.0.2.1:80"]],
  ["--server 2001:db8::70/124", ["fwm6/4294967295"]],
] as const)
  test(`list ${filter} shows what is in the network`, async () => {
    const csv = await printed(`list -o csv --no-header ${filter}`);
    const lines = csv.trimEnd().split("\n");
    assert.deepEqual(
      lines
        .filter((line) => line.startsWith("service,"))
        .map((line) => line.split(",")[1]),
      services,
    );
  });

test("list says how many of a service's servers a filter shows", async () => {
  assert.match(
    await printed("list --server 10.0.0.11"),
    /^1 service, 1 of its 4 real servers$/m,
  );
  assert.match(
    await printed("list --server 10.0.0.0/8"),
    /^3 services, 9 of their 10 real servers$/m,
  );
});
