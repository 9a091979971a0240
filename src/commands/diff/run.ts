import { IpvsAccess } from "../../runtime/ipvs-access.js";
import { jsonText } from "../../document/json-text.js";
import { compare, isUpToDate } from "../../plan/compare.js";
import { readCurrentState } from "../../plan/current-state.js";
import {
  countDifferences,
  countsText,
} from "../../cli/changes/difference-counts.js";
import { differencesJson } from "../../cli/changes/difference-json.js";
import {
  differenceLines,
  upToDateText,
} from "../../cli/changes/difference-lines.js";
import {
  checkSelected,
  checkWhole,
  partsOf,
  readScope,
} from "../../cli/changes/scope.js";
import { EXIT } from "../../cli/exit-status.js";
import type { RunSubcommand } from "../../cli/invocation.js";
import { readValidRules } from "../../cli/rule-file.js";
import type { HealthChecker } from "../../rules/health-checks.js";
import type { Output } from "../../cli/output.js";
import {
  separateHealthChecks,
  type SeparatedDifferences,
} from "./health-check-changes.js";
import { healthCheckLines, healthChecksJson } from "./health-check-report.js";
import { findReload, type Reload } from "./reload.js";
import { withCurrentRole } from "./vrrp-role.js";

/** The exit status if the table differs from the file. */
const DIFFERS = 4;

export const run: RunSubcommand = async ({ given, io, output }) => {
  const [name = ""] = given.positionals;
  const scope = await readScope(given, io.names);
  const file = await readValidRules(name, io, output);
  checkWhole(file, scope);
  const { healthChecks } = file;
  using access = new IpvsAccess(io);
  const client = await access.openWithoutLoading();
  const current = await readCurrentState(
    client,
    partsOf(file.table, scope),
    "steady",
  );
  const table = withCurrentRole(file, current);
  checkSelected(scope, table, current);
  const reload = await findReload(file, io.procFolder);
  const separated = separateHealthChecks(
    compare(table, current, scope),
    healthChecks,
    reload?.hasRead,
  );
  const { differences, changes } = separated;
  const equal = isUpToDate(differences);
  if (given.text("output") === "json") {
    const document = {
      schema: "ipvsadm/diff/1",
      file: name,
      equal,
      ...differencesJson(differences),
      healthChecks: healthChecks && healthChecksJson(changes),
      reload: reload?.state,
    };
    output.write(`${jsonText(document)}\n`);
  } else show(name, separated, healthChecks?.program, reload, output);
  const counted = given.flag("strict") ? changes.length : 0;
  return equal && counted === 0 ? EXIT.ok : DIFFERS;
};

function show(
  name: string,
  { differences, changes }: SeparatedDifferences,
  program: HealthChecker | undefined,
  reload: Reload | undefined,
  output: Output,
): void {
  const hasChanges = program !== undefined && changes.length > 0;
  const isKnown = reload?.hasRead !== undefined;
  if (hasChanges) output.lines(healthCheckLines(changes, program, isKnown));
  const equal = isUpToDate(differences);
  if (reload && (hasChanges || !equal || reload.state === "missing"))
    output.lines(reload.lines);
  if (equal) {
    const rest = hasChanges ? ", except for health checks" : "";
    output.lines([upToDateText(name) + rest]);
    return;
  }
  output.lines(differenceLines(differences, output.paint));
  output.lines([
    countsText(countDifferences(differences), {
      add: "to add",
      change: "to change",
      remove: "to remove",
    }),
  ]);
}
