import { tableAsRules } from "../../src/commands/save/table-as-rules.js";
import type { FindIncluded } from "../../src/rules/included-files.js";
import type { NameLookups } from "../../src/rules/name-lookups.js";
import { readRules } from "../../src/rules/read-rules.js";
import type { RuleFile } from "../../src/rules/rule-file.js";
import { warningsOf } from "../../src/rules/warnings.js";
import { fakeLookups } from "./name-lookups.js";

/** What was read from a configuration. */
export interface ConfigurationReading {
  readonly file: RuleFile;
  /** The table, as rules */
  readonly rules: string;
  /** `LINE:COLUMN error ID: MESSAGE`; the errors first */
  readonly findings: readonly string[];
}

/** Reads a configuration as `check` does. */
export async function readConfiguration(
  text: string,
  names: NameLookups = fakeLookups(),
  find?: FindIncluded,
): Promise<ConfigurationReading> {
  const bytes = Buffer.from(text).toString("latin1");
  const file = await readRules("lb.conf", bytes, names, find);
  const findings = [
    ...file.errors.map((finding) => ({ ...finding, severity: "error" })),
    ...warningsOf(file).map((finding) => ({ ...finding, severity: "warning" })),
  ].map(({ position: { line, column }, severity, id, message, path }) => {
    const included = path === undefined ? "" : ` ${path}`;
    return `${line}:${column}${included} ${severity} ${id}: ${message}`;
  });
  const rules = Array.from(tableAsRules(file.table), ({ text }) => text);
  return { file, rules: rules.join(""), findings };
}
