import type { Json, Members } from "../../document/json-text.js";
import type { RuleFinding, RuleFile } from "../../rules/rule-file.js";
import type { Severity } from "../../cli/rule-findings.js";
import { escapeControls } from "../../cli/escape.js";

/** How a document names the service and the real server that a finding is about. Nothing for other findings */
export type NamesOf = (
  finding: Pick<RuleFinding, "rule" | "position">,
) => Members;

/** A file that was checked. */
export interface Checked {
  readonly name: string;
  /** Undefined if it could not be read */
  readonly file: RuleFile | undefined;
  readonly unreadable?: string;
  /** In the order of the text */
  readonly findings: readonly CheckFinding[];
  readonly namesOf: NamesOf;
}

export interface CheckFinding extends RuleFinding {
  readonly severity: Severity;
}

export interface FindingCounts {
  readonly errors: number;
  readonly warnings: number;
}

export function countFindings(checked: readonly Checked[]): FindingCounts {
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
  const { errors, warnings } = countFindings([checked]);
  const { services } = file.table;
  const servers = serversIn(file);
  const found = [
    ...(errors > 0 ? [counted(errors, "error")] : []),
    ...(warnings > 0 ? [counted(warnings, "warning")] : []),
  ];
  const result = found.length === 0 ? "no problems" : found.join(", ");
  const unread = file.healthChecks ? "; health checks are not read" : "";
  return `${escapeControls(checked.name)}: ${result} in ${counted(services.length, "service")} with ${counted(servers, "real server")}${unread}`;
}

function serversIn({ table }: RuleFile): number {
  return table.services.reduce((sum, { servers }) => sum + servers.length, 0);
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

const LONGEST_TEXT = 400;

/** The line of a finding. A document may be one long line, which would be repeated for each finding. */
export function shortLine(line: string | undefined): string | undefined {
  return line !== undefined && line.length <= LONGEST_TEXT ? line : undefined;
}

/** What is wrong, where inside a document, and what to do about it. */
export function messageOf({ path, message, advice }: CheckFinding): string {
  const subject = path === undefined ? "" : `${path}: `;
  const hint = advice === undefined ? "" : ` (${advice})`;
  return escapeControls(subject + message + hint);
}

/** The document of `-o json`. */
export function checkJson(checked: readonly Checked[]): Json {
  return {
    schema: "ipvsadm/check/1",
    ...countFindings(checked),
    files: checked.map((one) => ({
      file: one.name,
      unreadable: one.unreadable,
      format: one.file?.format,
      notRead: one.file?.healthChecks && ["health checks"],
      totals: one.file && {
        services: one.file.table.services.length,
        servers: serversIn(one.file),
      },
      findings: findingsJson(one),
    })),
  };
}

function findingsJson({ file, findings, namesOf }: Checked): Json {
  return findings.map((finding) => {
    const { severity, id, position, path, message, advice } = finding;
    return {
      severity,
      id,
      ...namesOf(finding),
      line: position.line,
      column: position.column,
      path: path && escapeControls(path),
      message: escapeControls(message),
      advice: advice && escapeControls(advice),
      text: shortLine(file?.line(position.line)),
    };
  });
}
