import assert from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { INET, INET6 } from "../../../src/ipvs/address.js";
import type { ServiceWithServers } from "../../../src/ipvs/model.js";
import {
  commands,
  scriptedKernel,
  GET_SERVERS,
  GET_SERVICE,
} from "../../classic/scripted-kernel.js";
import { serverEntry, serviceEntry, stats } from "../../fixtures/entries.js";
import { kernelWith } from "../../fixtures/table-kernel.js";
import { subcommand } from "../run-subcommand.js";
import { golden } from "../golden.js";
import { SAMPLE } from "../list/sample.js";
import { seriesOf } from "./prometheus-series.js";

const folder = mkdtempSync(join(tmpdir(), "ipvsadm-metrics-"));
const procFolder = join(folder, "proc");
mkdirSync(join(procFolder, "net"), { recursive: true });
writeFileSync(
  join(procFolder, "net/ip_vs_stats"),
  "   Total Incoming Outgoing         Incoming         Outgoing\n" +
    "   Conns  Packets  Packets            Bytes            Bytes\n" +
    "      1A       FF        0         FFFFFFFF 1000000000000000\n" +
    "\n Conns/s   Pkts/s   Pkts/s          Bytes/s          Bytes/s\n",
);
after(() => {
  rmSync(folder, { recursive: true });
});

async function printed(
  line = "metrics",
  table: readonly ServiceWithServers[] = SAMPLE,
) {
  const io = { procFolder };
  const { stdout, stderr, status } = await subcommand(line, {
    link: kernelWith(table),
    io,
  });
  assert.deepEqual([stderr, status], ["", 0]);
  return stdout;
}

test("metrics prints a table with one of everything", async () => {
  golden("metrics.txt", await printed());
});

test("metrics --series splits all series into node and more", async () => {
  const [node, more, all] = [
    seriesOf(await printed("metrics --series node")),
    seriesOf(await printed("metrics --series more")),
    seriesOf(await printed()),
  ];
  assert.deepEqual(new Map([...node, ...more]), all);
  assert.equal(node.size + more.size, all.size);
  for (const name of node.keys()) assert.match(name, /^node_ipvs_/);
  for (const name of more.keys()) assert.match(name, /^ipvs_/);
});

test("metrics takes the totals from /proc/net/ip_vs_stats", async () => {
  const series = seriesOf(await printed("metrics --series node"));
  const value = (name: string) => series.get(`node_ipvs_${name}_total{}`);
  assert.equal(value("connections"), 26);
  assert.equal(value("incoming_packets"), 255);
  assert.equal(value("outgoing_packets"), 0);
  assert.equal(value("incoming_bytes"), 4294967295);
  assert.equal(value("outgoing_bytes"), 2 ** 60);
});

for (const text of ["", "a\nb\n1 2 3 4\n", "a\nb\n1 2 3 4 x\n", "a\nb\n"])
  test(`metrics omits the totals if ip_vs_stats contains ${JSON.stringify(text)}`, async () => {
    const other = join(folder, "other");
    mkdirSync(join(other, "net"), { recursive: true });
    writeFileSync(join(other, "net/ip_vs_stats"), text);
    const { stdout } = await subcommand("metrics", {
      link: kernelWith(SAMPLE),
      io: { procFolder: other },
    });
    assert.doesNotMatch(stdout, /node_ipvs_connections_total/);
    assert.match(stdout, /node_ipvs_backend_weight/);
  });

test("metrics rounds counters to floating-point numbers, as Prometheus does", async () => {
  const [service] = SAMPLE;
  assert.ok(service);
  const text = await printed("metrics --series more", [
    { ...service, stats: stats({ inBytes: 2n ** 64n - 1n }) },
  ]);
  const [value] = Array.from(seriesOf(text))
    .filter(([name]) => name.startsWith("ipvs_service_incoming_bytes_total"))
    .map(([, value]) => value);
  assert.equal(value, 2 ** 64);
});

test("metrics prints an entry once if a dump contains it twice", async () => {
  const [service] = SAMPLE;
  assert.ok(service);
  const [server] = service.servers;
  assert.ok(server);
  const text = await printed("metrics", [
    { ...service, servers: [server, ...service.servers] },
    service,
  ]);
  assert.deepEqual(
    seriesOf(text),
    seriesOf(await printed("metrics", [service])),
  );
});

test("metrics adds up firewall marks of both families if their labels are equal", async () => {
  const servers = [serverEntry("2001:db8::9", 0, { weight: 3 })];
  const both = ([INET, INET6] as const).map((family) =>
    serviceEntry({ family, firewallMark: 9 }, {}, servers),
  );
  const series = seriesOf(await printed("metrics", both));
  const found = (start: string) =>
    Array.from(series).filter(([name]) => name.startsWith(start));
  assert.deepEqual(
    found("node_ipvs_backend_weight").map(([, value]) => value),
    [6],
  );
  assert.equal(found("ipvs_backend_connections_total").length, 2);
});

test("metrics prints states and exporter series for an empty table", async () => {
  const series = seriesOf(await printed("metrics --series more", []));
  assert.equal(series.get("ipvs_up{}"), 1);
  assert.equal(series.get('ipvs_services{state="ok"}'), 0);
  assert.equal(series.get('ipvs_backends{state="draining"}'), 0);
});

test("metrics -o writes a whole file, also if the table cannot be read", async () => {
  const directory = join(folder, "textfile");
  mkdirSync(directory);
  const file = join(directory, "ipvs.prom");
  const { stdout, stderr, status } = await subcommand(`metrics -o ${file}`, {
    link: kernelWith(SAMPLE),
    io: { procFolder },
  });
  assert.deepEqual([stdout, stderr, status], ["", "", 0]);
  assert.equal(readFileSync(file, "latin1"), await printed());
  assert.deepEqual(readdirSync(directory), ["ipvs.prom"]);
  const down = await subcommand(`metrics --output=${file}`, {
    link: scriptedKernel(
      () => ({}),
      () => false,
    ),
  });
  assert.equal(down.status, 3);
  assert.match(down.stderr, /^ipvsadm: cannot reach IPVS in the kernel: /);
  assert.deepEqual(
    seriesOf(readFileSync(file, "latin1")),
    new Map([["ipvs_up{}", 0]]),
  );
  assert.deepEqual(down.log.includes("load"), false, "no module is loaded");
});

for (const [line, status, message] of [
  [
    "metrics -o /nonexistent/x.prom",
    1,
    /cannot write \/nonexistent\/x\.prom: No such file or directory/,
  ],
  ["metrics -o x.prom --listen 1", 2, /--output and --listen exclude each/],
  ["metrics --protocol icmp", 2, /--protocol icmp is not one of/],
  ["metrics --service nonsense/1", 2, /nonsense\/1 is not a service/],
  ["metrics --series some", 2, /--series some is not one of all, node, more/],
  ["metrics --token-file x", 2, /--token-file goes with --listen/],
  ["metrics --host-name a,b", 2, /--host-name goes with --listen/],
  ["metrics --listen 99999", 2, /--listen 99999: expected a port/],
  [
    "metrics --listen example.org:80",
    2,
    /: expected a port with or without an address/,
  ],
  [
    "metrics --listen 2001:db8::1:80",
    2,
    /: expected a port with or without an address/,
  ],
  [
    "metrics --listen [192.0.2.1]:80",
    2,
    /: expected a port with or without an address/,
  ],
  [
    "metrics --listen 192.0.2.1",
    2,
    /: expected a port with or without an address/,
  ],
  [
    "metrics --listen 198.51.100.77:0",
    1,
    /cannot listen on 198\.51\.100\.77:0: this machine does not have the address/,
  ],
] as const)
  test(`${line} fails with one line`, async () => {
    const outcome = await subcommand(line, { link: kernelWith(SAMPLE) });
    assert.deepEqual([outcome.stdout, outcome.status], ["", status]);
    assert.match(outcome.stderr, message);
    assert.equal(outcome.stderr.split("\n").length, 2, "one line");
  });

/** Runs `metrics --listen` during some work. */
async function serving(
  link: ReturnType<typeof kernelWith>,
  work: (url: string) => Promise<void>,
) {
  let end: () => void = () => undefined;
  let stdout = "";
  let worked: Promise<void> | undefined;
  const { stderr, status } = await subcommand("metrics --listen 0", {
    link,
    io: {
      procFolder,
      catchSignals(listen) {
        end = () => {
          listen("SIGTERM");
        };
        return () => undefined;
      },
      stdout(text) {
        stdout += text;
        const [, url] = /^listening on (\S+)\n$/.exec(stdout) ?? [];
        if (url !== undefined) worked = work(url).finally(end);
      },
    },
  });
  await worked;
  assert.match(stdout, /^listening on http:\/\/127\.0\.0\.1:\d+\/metrics\n$/);
  assert.deepEqual([stderr, status], ["", 0]);
}

test("metrics --listen reads the table once for 50 concurrent scrapes", async () => {
  const link = kernelWith(SAMPLE);
  await serving(link, async (url) => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => fetch(url)),
    );
    const texts = await Promise.all(answers.map((answer) => answer.text()));
    assert.deepEqual(
      new Set(answers.map(({ status }) => status)),
      new Set([200]),
    );
    assert.equal(
      answers[0]?.headers.get("content-type"),
      "text/plain; version=0.0.4; charset=utf-8",
    );
    const expected = await printed();
    for (const text of texts) assert.equal(text, expected);
  });
  const readings = commands(link)
    .flat()
    .filter((command) => command === GET_SERVICE);
  assert.equal(readings.length, 1);
});

test("metrics --listen answers 503 with the reason, and recovers", async () => {
  let loaded = true;
  const link = scriptedKernel(
    () => ({}),
    () => loaded,
  );
  await serving(link, async (url) => {
    loaded = false;
    const failed = await fetch(url);
    assert.equal(failed.status, 503);
    assert.match(
      await failed.text(),
      /^cannot reach IPVS in the kernel: No such file or directory: .*\n$/,
    );
    loaded = true;
    const answer = await fetch(url);
    assert.equal(answer.status, 200);
    assert.match(await answer.text(), /^ipvs_up 1$/m);
  });
});

test("metrics --services-only prints the series of services, and the numbers of their servers", async () => {
  const all = seriesOf(await printed());
  const some = seriesOf(await printed("metrics --services-only"));
  const isOfServers = (name: string) => /^(node_)?ipvs_backend_/.test(name);
  assert.deepEqual(
    some,
    new Map([...all].filter(([name]) => !isOfServers(name))),
  );
  assert.ok([...all.keys()].some(isOfServers));
  assert.ok(
    [...some].some(
      ([name, value]) => name.startsWith("ipvs_service_backends{") && value > 0,
    ),
  );
  assert.ok((some.get('ipvs_backends{state="ok"}') ?? 0) > 0);
});

/** The values of the label `service` in the metrics of a command line. */
async function servicesIn(line: string): Promise<Set<string>> {
  const found = (await printed(line)).matchAll(/[{,]service="([^"]*)"/g);
  return new Set(Array.from(found, ([, service = ""]) => service));
}

test("metrics --service and --protocol select services, and count only these", async () => {
  const all = await servicesIn("metrics");
  const tcp = await servicesIn("metrics --protocol tcp");
  assert.deepEqual(
    tcp,
    new Set([...all].filter((name) => name.startsWith("tcp/"))),
  );
  assert.ok(tcp.size > 0 && tcp.size < all.size);
  const marks = await servicesIn("metrics --protocol fwm,udp");
  assert.deepEqual(
    marks,
    new Set([...all].filter((name) => /^(fwm6?|udp)\//.test(name))),
  );
  const [first = ""] = tcp;
  assert.deepEqual(
    await servicesIn(`metrics --service ${first}`),
    new Set([first]),
  );
  assert.deepEqual(
    await servicesIn(`metrics --service ${first} --protocol udp`),
    new Set(),
  );
  const series = seriesOf(await printed(`metrics --service ${first}`));
  const counted = Array.from(series)
    .filter(([name]) => name.startsWith("ipvs_services{"))
    .reduce((sum, [, value]) => sum + value, 0);
  assert.equal(counted, 1);
});

test("metrics --service reads the real servers of the selected services only", async () => {
  const link = kernelWith(SAMPLE);
  const [first = ""] = await servicesIn("metrics");
  await subcommand(`metrics --service ${first}`, { link, io: { procFolder } });
  const readings = commands(link)
    .flat()
    .filter((command) => command === GET_SERVERS);
  assert.equal(readings.length, 1);
});

test("metrics --service has no series for a service that does not exist", async () => {
  assert.deepEqual(
    await servicesIn("metrics --service tcp/203.0.113.99:1"),
    new Set(),
  );
});

test("metrics reports how full the tables of connections are", async () => {
  const other = join(folder, "limits");
  for (const [file, text] of [
    ["net/ip_vs_status", "Conns:\t750\n"],
    ["sys/net/ipv4/vs/conn_max", "1000\n"],
    ["sys/net/netfilter/nf_conntrack_count", "5\n"],
    ["sys/net/netfilter/nf_conntrack_max", "262144\n"],
  ] as const) {
    mkdirSync(dirname(join(other, file)), { recursive: true });
    writeFileSync(join(other, file), text);
  }
  const values = async (line: string, proc: string) => {
    const { stdout } = await subcommand(line, {
      link: kernelWith(SAMPLE),
      io: { procFolder: proc },
    });
    const series = seriesOf(stdout);
    return [
      "connection_table_entries",
      "connection_table_limit",
      "conntrack_entries",
      "conntrack_limit",
    ].map((name) => series.get(`ipvs_${name}{}`));
  };
  assert.deepEqual(await values("metrics", other), [750, 1000, 5, 262144]);
  const sum = SAMPLE.flatMap(({ servers }) => servers).reduce(
    (sum, server) =>
      sum +
      server.activeConnections +
      server.inactiveConnections +
      server.persistentConnections,
    0,
  );
  const none = [undefined, undefined, undefined];
  assert.deepEqual(await values("metrics", procFolder), [sum, ...none]);
  assert.deepEqual(await values("metrics --protocol tcp", procFolder), [
    undefined,
    ...none,
  ]);
});
