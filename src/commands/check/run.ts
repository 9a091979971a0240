import { jsonText } from "../../document/json-text.js";
import type { Address } from "../../ipvs/address.js";
import type { Io } from "../../runtime/io.js";
import { byPosition } from "../../rules/finding-positions.js";
import type { NameLookups } from "../../rules/name-lookups.js";
import { warningsOf } from "../../rules/warnings.js";
import { CommandError, UsageError } from "../../cli/errors.js";
import type { Output } from "../../cli/output.js";
import { EXIT } from "../../cli/exit-status.js";
import type { RunSubcommand } from "../../cli/invocation.js";
import { readRuleFile } from "../../cli/rule-file.js";
import { findingLines } from "../../cli/rule-findings.js";
import { isPlaceholder, placeholderNames } from "./placeholder-names.js";
import { ruleNames } from "./rule-names.js";
import { workflowCommands } from "./github.js";
import { sarifLog } from "./sarif.js";
import {
  checkJson,
  summaryOf,
  countFindings,
  type Checked,
  type CheckFinding,
} from "./check-report.js";

export const run: RunSubcommand = async ({ given, io, output }) => {
  const lookUp = !given.flag("no-resolve");
  const names = lookUp ? io.names : placeholderNames(io.names);
  const isMadeUp = lookUp ? () => false : isPlaceholder;
  const format = given.text("output") ?? "text";
  const quiet = given.flag("quiet");
  if (quiet && format !== "text")
    throw new UsageError(
      `--quiet works with the format text, not with ${format}`,
      "check",
    );
  const all: Checked[] = [];
  for (const name of given.positionals) {
    const checked = await check(name, io, names, isMadeUp);
    all.push(checked);
    if (format === "text") show(checked, quiet, output);
  }
  if (format === "json") output.write(`${jsonText(checkJson(all))}\n`);
  if (format === "sarif") output.write(`${jsonText(sarifLog(all))}\n`);
  if (format === "github") output.lines(workflowCommands(all));
  const { errors, warnings } = countFindings(all);
  return errors > 0 || (given.flag("strict") && warnings > 0)
    ? EXIT.failed
    : EXIT.ok;
};

async function check(
  name: string,
  io: Io,
  names: NameLookups,
  isMadeUp: (address: Address) => boolean,
): Promise<Checked> {
  try {
    const file = await readRuleFile(name, io, names);
    const findings: CheckFinding[] = [
      ...file.errors.map((error) => ({ ...error, severity: "error" as const })),
      ...warningsOf(file).map((warning) => ({
        ...warning,
        severity: "warning" as const,
      })),
    ];
    const namesOf = ruleNames(file, isMadeUp);
    return { name, file, findings: findings.sort(byPosition), namesOf };
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return {
      name,
      file: undefined,
      unreadable: error.fault,
      findings: [],
      namesOf: () => ({}),
    };
  }
}

function show(checked: Checked, quiet: boolean, output: Output): void {
  const { file, unreadable, findings } = checked;
  if (!file) {
    output.complain(unreadable ?? "");
    return;
  }
  for (const finding of findings)
    output.lines(findingLines(file, finding.severity, finding, output));
  if (!quiet) output.lines([summaryOf(checked, file)]);
}
