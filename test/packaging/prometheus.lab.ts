import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { eventually } from "../lab/eventually.js";
import { ours } from "../lab/program.js";
import { ipvsadm } from "../traffic/ipvsadm.js";
import { BEHIND_DIRECTOR } from "../traffic/places.js";
import { siteOf } from "../traffic/site.js";
import { ALERTS_FILE, expanded, readDashboard } from "./dashboard.js";
import { prometheusProgram, skipPrometheus } from "./prometheus-programs.js";

const VIP = "192.0.2.100";
const PLACE = "127.0.0.1:19090";
const PATIENCE_SECONDS = 240;

interface Series {
  readonly metric: Readonly<Record<string, string>>;
  /** The time, and the value as text */
  readonly value: readonly [number, string];
}

async function api<T>(path: string): Promise<T> {
  const answer = await fetch(`http://${PLACE}/api/v1/${path}`);
  const { status, data, error } = (await answer.json()) as {
    readonly status: string;
    readonly data: T;
    readonly error?: string;
  };
  if (status !== "success") throw new Error(`${path}: ${error ?? status}`);
  return data;
}

async function query(expr: string): Promise<readonly Series[]> {
  const path = `query?query=${encodeURIComponent(expr)}`;
  return (await api<{ readonly result: readonly Series[] }>(path)).result;
}

/** Runs `metrics --listen` during some work. @param work gets the place of the exporter */
async function exporting(
  options: readonly string[],
  work: (place: string) => Promise<void>,
): Promise<void> {
  let end: () => void = () => undefined;
  let worked: Promise<void> | undefined;
  const { stderr, status } = await ours(
    ["metrics", "--listen", "0", ...options],
    "",
    {
      catchSignals(listen) {
        end = () => {
          listen("SIGTERM");
        };
        return () => undefined;
      },
      stdout(text) {
        const [, place] =
          /^listening on http:\/\/(\S+)\/metrics\n/.exec(text) ?? [];
        if (place !== undefined) worked = work(place).finally(end);
      },
    },
  );
  await worked;
  assert.deepEqual([stderr, status], ["", 0]);
}

/** Runs Prometheus, which scrapes the exporter every three seconds and evaluates our alerts every second, during some work. */
async function scraping(
  place: string,
  work: () => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "prometheus-"));
  copyFileSync(ALERTS_FILE, join(folder, "ipvs-alerts.yml"));
  writeFileSync(
    join(folder, "prometheus.yml"),
    JSON.stringify({
      // A scrape must end within its interval.
      global: { scrape_interval: "3s", evaluation_interval: "1s" },
      rule_files: ["ipvs-alerts.yml"],
      scrape_configs: [
        { job_name: "ipvs", static_configs: [{ targets: [place] }] },
      ],
    }),
  );
  const prometheus = spawn(
    prometheusProgram("prometheus"),
    [
      `--config.file=${join(folder, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      `--web.listen-address=${PLACE}`,
      "--log.level=error",
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  let logged = "";
  prometheus.stderr.setEncoding("latin1").on("data", (text: string) => {
    logged += text;
  });
  try {
    const ready = await eventually(
      () =>
        fetch(`http://${PLACE}/-/ready`).then(
          ({ status }) => status,
          () => undefined,
        ),
      (status) => status === 200,
      PATIENCE_SECONDS,
    );
    assert.equal(ready, 200, logged);
    await work();
  } finally {
    prometheus.kill();
    await once(prometheus, "exit");
    rmSync(folder, { recursive: true });
  }
  assert.equal(logged, "", "Prometheus logs no error");
}

suite(
  "Prometheus that scrapes the exporter of a real table",
  { skip: skipPrometheus },
  () => {
    const site = siteOf(BEHIND_DIRECTOR, {
      real1: { http: [80] },
      real2: { http: [80] },
    });

    async function serve(): Promise<void> {
      for (const rule of [
        `-A -t ${VIP}:80 -s rr -p 100`,
        `-a -t ${VIP}:80 -r 198.51.100.11 -m -w 5 -x 100 -y 20`,
        `-a -t ${VIP}:80 -r 198.51.100.12 -m -w 0`,
        `-A -t ${VIP}:8080 -s rr`,
        "-A -f 7 -s rr",
        "-a -f 7 -r 198.51.100.11 -m -x 10",
        "-A -f 7 -6 -s rr",
        "-a -f 7 -6 -r [2001:db8:2::11]:0 -g -x 10",
      ])
        await ipvsadm(rule);
    }

    test("each panel of the dashboard shows data", async (t) => {
      await serve();
      await exporting([], (place) =>
        scraping(place, async () => {
          const held = await site.client.hold(`http://${VIP}/`);
          const traffic = async () => {
            await site.client.get(`http://${VIP}/`, { count: 2 });
          };
          const missing = await eventually(
            async () => {
              await traffic();
              const empty: string[] = [];
              for (const { title, targets } of readDashboard().panels)
                for (const { expr } of targets) {
                  const series = await query(expanded(expr, "20s"));
                  const known = series.filter(
                    ({ value }) => value[1] !== "NaN",
                  );
                  if (known.length === 0) empty.push(`${title}: ${expr}`);
                }
              return empty;
            },
            (empty) => empty.length === 0,
            PATIENCE_SECONDS,
          );
          assert.deepEqual(missing, []);
          await held.close();
          for (const { definition } of readDashboard().templating.list) {
            if (definition === undefined) continue;
            const [, selector = "", label = ""] =
              /^label_values\((.*), ([a-z]+)\)$/.exec(definition) ?? [];
            const series = await query(expanded(selector, ""));
            t.diagnostic(`${label}: ${series.length} series`);
            assert.ok(
              series.every(({ metric }) => metric[label]),
              definition,
            );
            assert.ok(series.length > 0, definition);
          }
        }),
      );
    });

    test("Prometheus evaluates the alerts: those of the table are pending", async () => {
      await serve();
      await exporting([], (place) =>
        scraping(place, async () => {
          interface Rule {
            readonly name: string;
            readonly health: string;
            readonly state?: string;
            readonly lastError?: string;
          }
          const wanted = [
            "IpvsServerDrainedTooLong",
            "IpvsServiceWithoutServer",
          ];
          const read = async () => {
            const { groups } = await api<{
              readonly groups: readonly { readonly rules: readonly Rule[] }[];
            }>("rules");
            return groups.flatMap(({ rules }) => rules);
          };
          const pending = (rules: readonly Rule[]) =>
            rules
              .filter(({ state }) => state === "pending" || state === "firing")
              .map(({ name }) => name)
              .sort();
          const rules = await eventually(
            read,
            (rules) =>
              rules.every(({ health }) => health === "ok") &&
              pending(rules).join() === wanted.join(),
            PATIENCE_SECONDS,
          );
          assert.deepEqual(
            rules.filter(({ health }) => health !== "ok"),
            [],
          );
          assert.deepEqual(pending(rules), wanted);
        }),
      );
    });

    test("Prometheus reads the series of the services only with --services-only", async () => {
      await serve();
      await exporting(["--services-only", "--protocol", "tcp"], (place) =>
        scraping(place, async () => {
          const names = await eventually(
            async () =>
              new Set(
                (await query('{__name__=~"(node_)?ipvs_.*"}')).map(
                  ({ metric }) => metric["__name__"] ?? "",
                ),
              ),
            (names) => names.size > 0,
            PATIENCE_SECONDS,
          );
          assert.ok(names.has("ipvs_service_connections_total"));
          assert.deepEqual(
            [...names].filter((name) => /^(node_)?ipvs_backend_/.test(name)),
            [],
          );
          const services = await query("ipvs_service_backends");
          assert.deepEqual(
            services.map(({ metric }) => metric["service"]).sort(),
            [`tcp/${VIP}:80`, `tcp/${VIP}:8080`],
          );
        }),
      );
    });
  },
);
