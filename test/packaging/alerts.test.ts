import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { familiesOf } from "../../src/commands/metrics/metric-families.js";
import { FLEET_FAMILIES } from "../../src/commands/serve/fleet/fleet-families.js";
import {
  ALERTS_FILE,
  expanded,
  metricsIn,
  readDashboard,
} from "./dashboard.js";
import { prometheusProgram, skipPrometheus } from "./prometheus-programs.js";

const TESTS = "test/packaging/prometheus";
const TESTS_FILE = `${TESTS}/ipvs-alerts.test.yml`;

interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

function rulesIn(text: string): Rule[] {
  const { groups } = parse(text) as {
    readonly groups: readonly { readonly rules: readonly Rule[] }[];
  };
  return groups.flatMap(({ rules }) => rules);
}

const RULES = rulesIn(readFileSync(ALERTS_FILE, "utf8"));
const ALERTS = RULES.flatMap(({ alert }) => alert ?? []);

const KNOWN = new Set(
  [...familiesOf("all"), ...FLEET_FAMILIES].map(({ name }) => name),
);

function promtool(words: readonly string[], cwd = process.cwd()) {
  const program = join(process.cwd(), prometheusProgram("promtool"));
  const { stdout, stderr, status } = spawnSync(program, words, {
    cwd,
    encoding: "utf8",
  });
  return { output: stdout + stderr, status };
}

test("promtool accepts the alert rules", { skip: skipPrometheus }, () => {
  const { output, status } = promtool(["check", "rules", ALERTS_FILE]);
  assert.equal(status, 0, output);
  assert.match(output, new RegExp(`SUCCESS: ${RULES.length} rules found`));
});

test(
  "each alert fires with the series that it is for, and with no others",
  { skip: skipPrometheus },
  () => {
    const { output, status } = promtool(["test", "rules", TESTS_FILE]);
    assert.equal(status, 0, output);
  },
);

test("each alert is tested with series that fire and series that do not", () => {
  const { tests } = parse(readFileSync(TESTS_FILE, "utf8")) as {
    readonly tests: readonly {
      readonly alert_rule_test: readonly {
        readonly alertname: string;
        readonly exp_alerts: readonly unknown[];
      }[];
    }[];
  };
  const cases = tests.flatMap(({ alert_rule_test }) => alert_rule_test);
  const names = (fires: boolean) =>
    new Set(
      cases
        .filter(({ exp_alerts }) => exp_alerts.length > 0 === fires)
        .map(({ alertname }) => alertname),
    );
  assert.deepEqual(names(true), new Set(ALERTS));
  assert.deepEqual(names(false), new Set(ALERTS));
});

test(
  "the tests of the alerts fail if an alert never fires, or always",
  { skip: skipPrometheus },
  () => {
    const folder = mkdtempSync(join(tmpdir(), "alerts-"));
    try {
      for (const name of ["packaging/prometheus", TESTS])
        mkdirSync(join(folder, name), { recursive: true });
      copyFileSync(TESTS_FILE, join(folder, TESTS_FILE));
      for (const expr of ["vector(1) == 0", "vector(1)"]) {
        const document = parse(readFileSync(ALERTS_FILE, "utf8")) as {
          readonly groups: readonly { rules: Rule[] }[];
        };
        for (const group of document.groups)
          group.rules = group.rules.map((rule) =>
            rule.alert === undefined ? rule : { ...rule, expr },
          );
        // JSON is YAML, too.
        writeFileSync(join(folder, ALERTS_FILE), JSON.stringify(document));
        const { status, output } = promtool(
          ["test", "rules", TESTS_FILE],
          folder,
        );
        assert.equal(status, 1);
        for (const alert of ALERTS)
          assert.match(output, new RegExp(`alertname: ?${alert}\\b`), expr);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

test("the alerts and the dashboard use metrics that the exporter has", () => {
  const expressions = [
    ...RULES.map(({ expr }) => expr),
    ...readDashboard().panels.flatMap(({ targets }) =>
      targets.map(({ expr }) => expr),
    ),
    ...readDashboard().templating.list.flatMap(
      ({ definition }) => definition ?? [],
    ),
  ];
  const recorded = RULES.flatMap(({ record }) => record ?? []);
  for (const expr of expressions) {
    const own = recorded.reduce(
      (text, name) => text.replaceAll(name, ""),
      expr,
    );
    for (const name of metricsIn(own))
      assert.ok(KNOWN.has(name), `${name} in ${expr}`);
  }
  assert.ok(expressions.some((expr) => metricsIn(expr).length > 0));
});

test("the dashboard has panels with ids, places and descriptions of their own", () => {
  const { panels, templating } = readDashboard();
  const variables = new Set(templating.list.map(({ name }) => name));
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
  const taken = new Map<string, string>();
  for (const { title, description, gridPos, targets } of panels) {
    const { x, y, w, h } = gridPos;
    assert.ok(x >= 0 && x + w <= 24, title);
    for (let column = x; column < x + w; column++)
      for (let row = y; row < y + h; row++) {
        const cell = `${column} ${row}`;
        assert.equal(taken.get(cell), undefined, `${title} overlaps`);
        taken.set(cell, title);
      }
    assert.notEqual(description, "", title);
    assert.ok(targets.length > 0, title);
    for (const { expr } of targets) {
      for (const [, name = ""] of expr.matchAll(/\$([a-z]+)/g))
        assert.ok(variables.has(name), `$${name} in ${title}`);
      assert.doesNotMatch(expanded(expr, "1m"), /\$/);
    }
  }
});
