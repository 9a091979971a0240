import type { Json } from "../../document/json-text.js";
import type { RuleFault, RuleFile } from "../../rules/file.js";
import type { Severity } from "../../cli/rule-findings.js";
import { escapeControls } from "../../cli/escape.js";

/** A file that was looked at. */
export interface Checked {
  readonly name: string;
  /** Undefined: it could not be read, for this reason */
  readonly file: RuleFile | undefined;
  readonly unreadable?: string;
  /** In the order of the text */
  readonly findings: readonly Finding[];
}

export interface Finding extends RuleFault {
  readonly severity: Severity;
}

/** How much was found. */
export interface Tally {
  readonly errors: number;
  readonly warnings: number;
}

export function tallyOf(checked: readonly Checked[]): Tally {
  let errors = 0;
  let warnings = 0;
  for (const { file, findings } of checked) {
    if (!file) errors++;
    for (const { severity } of findings)
      if (severity === "error") errors++;
      else warnings++;
  }
  return { errors, warnings };
}

/** `rules: 2 errors, 1 warning in 3 services with 6 real servers` */
export function summaryOf(checked: Checked, file: RuleFile): string {
  const { errors, warnings } = tallyOf([checked]);
  const { services } = file.table;
  const servers = services.reduce(
    (sum, { servers }) => sum + servers.length,
    0,
  );
  const found = [
    ...(errors > 0 ? [many(errors, "error")] : []),
    ...(warnings > 0 ? [many(warnings, "warning")] : []),
  ];
  const said = found.length === 0 ? "nothing wrong" : found.join(", ");
  return `${escapeControls(checked.name)}: ${said} in ${many(services.length, "service")} with ${many(servers, "real server")}`;
}

function many(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

const LONGEST_TEXT = 400;

/** A document may be one long line, which is not to be repeated for each finding. */
function shortLine(line: string | undefined): string | undefined {
  return line !== undefined && line.length <= LONGEST_TEXT ? line : undefined;
}

/** What was found, for programs. */
export function checkJson(checked: readonly Checked[]): Json {
  return {
    schema: "ipvsadm/check/1",
    ...tallyOf(checked),
    files: checked.map(({ name, file, unreadable, findings }) => ({
      file: name,
      unreadable,
      format: file?.format,
      services: file?.table.services.length,
      servers: file?.table.services.reduce(
        (sum, { servers }) => sum + servers.length,
        0,
      ),
      findings: findings.map(
        ({ severity, id, place, path, fault, advice }) => ({
          severity,
          id,
          line: place.line,
          column: place.column,
          path: path && escapeControls(path),
          message: escapeControls(fault),
          advice: advice && escapeControls(advice),
          text: shortLine(file?.line(place.line)),
        }),
      ),
    })),
  };
}
