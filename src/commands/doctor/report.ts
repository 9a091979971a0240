import type { Examination } from "../../doctor/check.js";
import type { Gathered } from "../../doctor/facts.js";
import type { Finding, Severity } from "../../doctor/finding.js";
import {
  diagnosesOf,
  kindOf,
  type Diagnosis,
  type FindingId,
} from "../../doctor/findings.js";
import type { Json } from "../../document/json-text.js";
import type { Style } from "../../cli/color.js";
import { wrapped } from "../../cli/help.js";
import type { Output } from "../../cli/output.js";
import { escapeControls } from "../../cli/escape.js";

/** What the doctor has to say of a machine. */
export interface Report extends Examination {
  readonly role: "director" | "real server";
  /** Why facts are wanting */
  readonly reasons: Gathered["reasons"];
}

type Looks = Pick<Output, "paint" | "width">;

const STYLES: Readonly<Record<Severity, Style>> = {
  error: "bad",
  warning: "warning",
  note: "name",
};

const INDENT = 2;
const LABEL_COLUMNS = 6;

/** The report for people: kind by kind, the gravest first. */
export function reportLines(report: Report, looks: Looks): string {
  const diagnoses = diagnosesOf(report.findings);
  return [
    ...diagnoses.map((diagnosis) => `${diagnosisText(diagnosis, looks)}\n`),
    ...blindSpots(report).map((text) => wrapped(text, 0, looks)),
    wrapped(summary(report), 0, looks),
  ].join("");
}

function diagnosisText({ kind, findings }: Diagnosis, looks: Looks): string {
  const { paint } = looks;
  const severity = paint[STYLES[kind.severity]](kind.severity);
  const fixes = new Set(findings.flatMap(({ fix }) => fix.map(fixText)));
  return [
    `${severity} ${paint.strong(kind.id)}: ${kind.title}\n`,
    ...findings.map((finding) => labelled("Seen", seenText(finding), looks)),
    labelled("Why", kind.why, looks),
    // A command is to be copied, so it is not broken into lines.
    ...(fixes.size === 0
      ? [labelled("Fix", kind.cure, looks)]
      : Array.from(fixes, (text) => verbatim("Fix", text, looks))),
  ].join("");
}

function seenText({ subject, seen }: Finding): string {
  return escapeControls(subject === undefined ? seen : `${subject}: ${seen}`);
}

function fixText({ command, on }: Finding["fix"][number]): string {
  return escapeControls(on === undefined ? command : `on ${on}: ${command}`);
}

function labelled(label: string, text: string, looks: Looks): string {
  const body = wrapped(text, INDENT + LABEL_COLUMNS, looks);
  return margin(label, looks) + body.trimStart();
}

function verbatim(label: string, text: string, looks: Looks): string {
  return `${margin(label, looks)}${text}\n`;
}

function margin(label: string, { paint }: Looks): string {
  const blanks = " ".repeat(LABEL_COLUMNS - label.length);
  return `${" ".repeat(INDENT)}${paint.dim(label)}${blanks}`;
}

/** What could not be looked for, reason by reason. */
function blindSpots({ unexamined, reasons }: Report): string[] {
  const byReason = new Map<string, FindingId[]>();
  for (const { id, wanting } of unexamined) {
    const reason = reasons.get(wanting);
    if (reason === undefined) continue;
    byReason.set(reason, [...(byReason.get(reason) ?? []), id]);
  }
  return Array.from(
    byReason,
    ([reason, ids]) => `Not looked for, since ${reason}: ${ids.join(", ")}.`,
  );
}

function summary({ findings, examined }: Report): string {
  const count = (severity: Severity) =>
    findings.filter((finding) => kindOf(finding).severity === severity).length;
  const looked = `${counted(examined.length, "kind")} of fault looked for`;
  if (findings.length === 0) return `No fault found, ${looked}.`;
  const counts = [
    counted(count("error"), "error"),
    counted(count("warning"), "warning"),
    counted(count("note"), "note"),
  ];
  return `${counts.join(", ")}; ${looked}.`;
}

function counted(count: number, one: string): string {
  return `${count} ${count === 1 ? one : `${one}s`}`;
}

/** The report for programs. */
export function reportJson(report: Report): Json {
  const { role, findings, examined, unexamined, reasons } = report;
  return {
    schema: "ipvsadm/doctor/1",
    role,
    findings: diagnosesOf(findings).flatMap(({ kind, findings: some }) =>
      some.map((finding) => ({
        id: kind.id,
        severity: kind.severity,
        title: kind.title,
        subject:
          finding.subject === undefined
            ? null
            : escapeControls(finding.subject),
        seen: escapeControls(finding.seen),
        why: kind.why,
        fix: finding.fix.map(({ command, on }) => ({
          command: escapeControls(command),
          on: on === undefined ? null : escapeControls(on),
        })),
        cure: kind.cure,
      })),
    ),
    examined: [...examined],
    unexamined: unexamined.map(({ id, wanting }) => ({
      id,
      reason: reasons.get(wanting) ?? null,
    })),
  };
}
