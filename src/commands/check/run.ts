import { jsonText } from "../../document/json-text.js";
import type { Io } from "../../runtime/io.js";
import { byPlace } from "../../rules/place-findings.js";
import type { RuleNames } from "../../rules/rule-names.js";
import { warningsOf } from "../../rules/warnings.js";
import { CommandError } from "../../cli/errors.js";
import type { Output } from "../../cli/output.js";
import { EXIT } from "../../cli/exit-status.js";
import type { RunSubcommand } from "../../cli/invocation.js";
import { readRuleFile } from "../../cli/rule-file.js";
import { findingLines } from "../../cli/rule-findings.js";
import { standInNames } from "./stand-in-names.js";
import {
  checkJson,
  summaryOf,
  tallyOf,
  type Checked,
  type Finding,
} from "./report.js";

export const run: RunSubcommand = async ({ given, io, output }) => {
  const names = given.flag("no-resolve") ? standInNames(io.names) : io.names;
  const json = given.text("output") === "json";
  const all: Checked[] = [];
  for (const name of given.positionals) {
    const checked = await check(name, io, names);
    all.push(checked);
    if (!json) show(checked, output);
  }
  if (json) output.write(`${jsonText(checkJson(all))}\n`);
  const { errors, warnings } = tallyOf(all);
  return errors > 0 || (given.flag("strict") && warnings > 0)
    ? EXIT.failed
    : EXIT.ok;
};

async function check(name: string, io: Io, names: RuleNames): Promise<Checked> {
  try {
    const file = await readRuleFile(name, io, names);
    const findings: Finding[] = [
      ...file.faults.map((fault) => ({ ...fault, severity: "error" as const })),
      ...warningsOf(file).map((warning) => ({
        ...warning,
        severity: "warning" as const,
      })),
    ];
    return { name, file, findings: findings.sort(byPlace) };
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return { name, file: undefined, unreadable: error.fault, findings: [] };
  }
}

function show(checked: Checked, output: Output): void {
  const { file, unreadable, findings } = checked;
  if (!file) {
    output.complain(unreadable ?? "");
    return;
  }
  for (const finding of findings)
    output.lines(findingLines(file, finding.severity, finding, output));
  output.lines([summaryOf(checked, file)]);
}
