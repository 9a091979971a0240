import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { get } from "node:http";
import { buffer, text } from "node:stream/consumers";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { suite, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { nodeIo } from "../../../src/runtime/node-io.js";
import { countingLink } from "../../lab/counting-link.js";
import { eventually } from "../../lab/eventually.js";
import { ours, PROGRAM } from "../../lab/program.js";
import { ipvsadm } from "../../traffic/ipvsadm.js";
import { BEHIND_DIRECTOR } from "../../traffic/places.js";
import { siteOf } from "../../traffic/site.js";
import {
  prometheusProgram,
  skipPrometheus,
} from "../../packaging/prometheus-programs.js";
import { seriesOf } from "./prometheus-series.js";

const skip = skipPrometheus;

const VIP = "192.0.2.100";
const VIP6 = "2001:db8:1::100";

async function printed(options = ""): Promise<string> {
  const { stdout, stderr, status } = await ours(
    `metrics ${options}`.trim().split(" "),
  );
  assert.deepEqual([stderr, status], ["", 0]);
  return stdout;
}

interface Page {
  readonly status: number;
  readonly body: string;
}

function page(url: string): Promise<Page> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, (response) => {
      text(response).then((body) => {
        resolve({ status: response.statusCode ?? 0, body });
      }, reject);
    }).on("error", reject);
  });
}

/** Fetches a page as Prometheus does. */
function zippedPage(url: string): Promise<Buffer> {
  const headers = { "accept-encoding": "gzip" };
  return new Promise((resolve, reject) => {
    get(url, { agent: false, headers }, (response) => {
      buffer(response).then(resolve, reject);
    }).on("error", reject);
  });
}

/** Runs node_exporter during some work. */
async function exporting(
  words: readonly string[],
  work: (url: string, log: () => string) => Promise<void>,
): Promise<void> {
  const place = "127.0.0.1:19100";
  let logged = "";
  const exporter = spawn(
    prometheusProgram("prometheus-node-exporter"),
    [
      `--web.listen-address=${place}`,
      "--collector.disable-defaults",
      "--collector.ipvs",
      ...words,
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  exporter.stderr.setEncoding("latin1").on("data", (text: string) => {
    logged += text;
  });
  try {
    const url = `http://${place}/metrics`;
    await eventually(
      () => page(url).catch(() => undefined),
      (answer) => answer !== undefined,
      180,
    );
    await work(url, () => logged);
  } finally {
    exporter.kill();
    await once(exporter, "exit");
  }
}

const ofNode = (name: string) => name.startsWith("node_ipvs_");

suite("metrics on a kernel", () => {
  const site = siteOf(BEHIND_DIRECTOR, {
    real1: { http: [80], datagrams: ["198.51.100.11:53"] },
    real2: { http: [80] },
  });

  async function serve(): Promise<void> {
    for (const rule of [
      `-A -t ${VIP}:80 -s rr -p 100`,
      `-a -t ${VIP}:80 -r 198.51.100.11 -m -w 5 -x 100 -y 20`,
      `-a -t ${VIP}:80 -r 198.51.100.12 -m -w 0`,
      `-A -t [${VIP6}]:80 -s wlc`,
      `-a -t [${VIP6}]:80 -r [2001:db8:2::11]:80 -m`,
      `-a -t [${VIP6}]:80 -r [2001:db8:2::12]:80 -m -w 2147483647`,
      `-A -u ${VIP}:53 -s rr`,
      `-a -u ${VIP}:53 -r 198.51.100.11 -m`,
      "-A -f 7 -s rr",
      "-a -f 7 -r 198.51.100.11 -m",
      "-A -f 4294967295 -6 -s rr",
      "-a -f 4294967295 -6 -r [2001:db8:2::11]:0 -g",
      `-A -u ${VIP}:54 -s rr`,
    ])
      await ipvsadm(rule);
  }

  test(
    "metrics --series node prints the names, labels and values of node_exporter",
    { skip },
    async () => {
      await serve();
      await site.client.get(`http://${VIP}/`, { count: 5 });
      await site.client.get(`http://[${VIP6}]/`, { count: 4 });
      await site.client.sendDatagrams(`${VIP}:53`, { count: 3 });
      const held = await site.client.hold(`http://${VIP}/`);
      await exporting([], async (url) => {
        const read = async () => ({
          theirs: seriesOf((await page(url)).body, ofNode),
          ours: seriesOf(await printed("--series node")),
        });
        // The kernel updates its totals every 2 seconds.
        const { theirs, ours } = await eventually(read, (found) => {
          const count = found.theirs.get("node_ipvs_connections_total{}") ?? 0;
          return count > 0 && same(found.theirs, found.ours);
        });
        assert.deepEqual(inOrder(ours), inOrder(theirs));
        assert.equal(theirs.size, 5 + 3 * 7);
        const active = Array.from(theirs).filter(
          ([name, value]) =>
            name.startsWith("node_ipvs_backend_connections_active") &&
            value > 0,
        );
        assert.equal(active.length, 1, "there is something to compare");
      });
      await held.close();
    },
  );

  test(
    "metrics --series more works beside the ipvs collector of node_exporter",
    { skip },
    async () => {
      await serve();
      const folder = mkdtempSync(join(tmpdir(), "textfile-"));
      const options = [
        "--collector.textfile",
        `--collector.textfile.directory=${folder}`,
      ];
      await exporting(options, async (url, log) => {
        await ours(["metrics", "--series", "more", "-o", `${folder}/a.prom`]);
        const { status, body } = await page(url);
        assert.equal(status, 200);
        const series = seriesOf(
          body,
          (name) => ofNode(name) || name.startsWith("ipvs_"),
        );
        const expected = seriesOf(await printed());
        assert.deepEqual(
          [...series.keys()].sort(),
          [...expected.keys()].sort(),
        );
        assert.match(body, /^node_textfile_scrape_error 0$/m);
        assert.doesNotMatch(log(), /level=error/);
        // The manual warns of this.
        await ours(["metrics", "-o", `${folder}/a.prom`]);
        const errors = await eventually(
          async () => {
            await page(url);
            return log();
          },
          (text) => text.includes("level=error"),
        );
        assert.match(
          errors,
          /node_ipvs_connections_total.* was collected before/,
        );
      });
      rmSync(folder, { recursive: true });
    },
  );

  test("promtool accepts the metrics", { skip }, async () => {
    await serve();
    for (const series of ["all", "node", "more"]) {
      const { stdout, stderr, status } = spawnSync(
        prometheusProgram("promtool"),
        ["check", "metrics"],
        { input: await printed(`--series ${series}`), encoding: "latin1" },
      );
      assert.deepEqual([stdout, stderr, status], ["", "", 0], series);
    }
  });

  test("metrics reports the states, thresholds, templates and counters of the table", async () => {
    await serve();
    await site.client.get(`http://${VIP}/`, { count: 5 });
    await site.client.get(`http://[${VIP6}]/`, { count: 4 });
    const web = `local_address="${VIP}",local_mark="",local_port="80",proto="TCP"`;
    const real = (number: number) =>
      `${web},remote_address="198.51.100.1${number}",remote_port="80",service="tcp/${VIP}:80"`;
    const of6 = `local_address="${VIP6}",local_mark="",local_port="80",proto="TCP",service="tcp/[${VIP6}]:80"`;
    const expected: Readonly<Record<string, number>> = {
      "ipvs_up{}": 1,
      'ipvs_services{state="ok"}': 5,
      'ipvs_services{state="no-servers"}': 1,
      'ipvs_backends{state="draining"}': 1,
      [`ipvs_service_connections_total{${web},service="tcp/${VIP}:80"}`]: 5,
      [`ipvs_service_connections_total{${of6}}`]: 4,
      [`ipvs_service_backends{${of6}}`]: 2,
      [`ipvs_service_available_weight{${web},service="tcp/${VIP}:80"}`]: 5,
      [`ipvs_backend_connections_total{${real(1)}}`]: 5,
      [`ipvs_backend_connections_total{${real(2)}}`]: 0,
      [`ipvs_backend_connections_persistent{${real(1)}}`]: 1,
      [`ipvs_backend_upper_threshold{${real(1)}}`]: 100,
      [`ipvs_backend_lower_threshold{${real(1)}}`]: 20,
      [`ipvs_backend_state{${real(2)},state="draining"}`]: 1,
    };
    const found = await eventually(
      async () => {
        const series = seriesOf(await printed("--series more"));
        return Object.fromEntries(
          Object.keys(expected).map((name) => [name, series.get(name)]),
        );
      },
      (found) =>
        Object.entries(expected).every(
          ([name, value]) => found[name] === value,
        ),
    );
    assert.deepEqual(found, expected);
  });

  test("metrics --listen reads 10,000 services once for 50 concurrent scrapes", async (t) => {
    const rules = Array.from({ length: 10_000 }, (_, i) => {
      const service = `10.${i >> 8}.${i & 255}.1:80`;
      return [
        `-A -t ${service} -s rr`,
        `-a -t ${service} -r 198.51.100.11:80 -m -w 1`,
        `-a -t ${service} -r 198.51.100.12:80 -m -w 1`,
      ].join("\n");
    });
    const filled = await ours(["-R"], `${rules.join("\n")}\n`);
    assert.equal(filled.status, 0, filled.stderr);
    let readings = 0;
    let end: () => void = () => undefined;
    let worked: Promise<void> | undefined;
    const work = async (url: string) => {
      const began = performance.now();
      const pages = await Promise.all(
        Array.from({ length: 50 }, () => zippedPage(url)),
      );
      const seconds = (performance.now() - began) / 1000;
      const [first] = pages;
      assert.ok(first);
      assert.ok(pages.every((page) => page.equals(first)));
      const body = gunzipSync(first).toString();
      assert.equal(body.match(/^node_ipvs_backend_weight\{/gm)?.length, 20_000);
      t.diagnostic(
        `${seconds.toFixed(1)} s for 50 times ${(body.length / 1e6).toFixed(1)} MB, ${(process.memoryUsage().rss / 1e6).toFixed(0)} MB of memory`,
      );
    };
    const { stderr, status } = await ours(["metrics", "--listen", "0"], "", {
      async openLink() {
        const link = await nodeIo().openLink();
        return countingLink(link, () => readings++);
      },
      catchSignals(listen) {
        end = () => {
          listen("SIGTERM");
        };
        return () => undefined;
      },
      stdout(text) {
        const [, url = ""] = /^listening on (\S+)\n$/.exec(text) ?? [];
        worked = work(url).finally(end);
      },
    });
    await worked;
    assert.deepEqual([stderr, status], ["", 0]);
    assert.equal(readings, 1);
  });

  test("metrics --listen serves until a signal ends the process", async () => {
    await serve();
    const [program = "", ...words] =
      PROGRAM === undefined
        ? [process.execPath, "dist/bin/ipvsadm.cjs"]
        : [PROGRAM];
    const start = (place: string) =>
      spawn(program, [...words, "metrics", "--listen", place], {
        stdio: ["ignore", "pipe", "pipe"],
      });
    const exporter = start("0");
    const lines = createInterface(exporter.stdout)[Symbol.asyncIterator]();
    const line = (await lines.next()).value as string;
    const [, place = ""] = /^listening on http:\/\/(.*)\/metrics$/.exec(
      line,
    ) ?? [line];
    assert.match(place, /^127\.0\.0\.1:/);
    const { status, body } = await page(`http://${place}/metrics`);
    assert.equal(status, 200);
    assert.deepEqual(
      [...seriesOf(body, ofNode).keys()],
      [...seriesOf(await printed("--series node")).keys()],
    );
    const second = start(place);
    const [stderr] = await Promise.all([
      text(second.stderr),
      once(second, "exit"),
    ]);
    assert.equal(second.exitCode, 1);
    assert.equal(
      stderr,
      `ipvsadm: cannot listen on ${place}: the port is in use: 'ss -ltnp' shows the program; choose another port\n`,
    );
    exporter.kill();
    await once(exporter, "exit");
    assert.deepEqual([exporter.exitCode, exporter.signalCode], [0, null]);
  });
});

function inOrder(series: ReadonlyMap<string, number>): [string, number][] {
  return [...series].sort(([a], [b]) => (a < b ? -1 : 1));
}

function same(
  one: ReadonlyMap<string, number>,
  other: ReadonlyMap<string, number>,
): boolean {
  return (
    one.size === other.size &&
    Array.from(one).every(([name, value]) => other.get(name) === value)
  );
}
