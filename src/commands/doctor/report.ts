import type { Examination } from "../../doctor/check.js";
import type { Gathered } from "../../doctor/facts.js";
import {
  procedureText,
  type Finding,
  type Fix,
  type Kind,
  type Passage,
  type Severity,
} from "../../doctor/finding.js";
import {
  diagnosesOf,
  type Diagnosis,
  type FindingId,
} from "../../doctor/findings.js";
import type { PacketFact } from "../../doctor/packets/packet-fact.js";
import { formatAddress } from "../../ipvs/address.js";
import type { PacketReport } from "./server-packets.js";
import type { Json, Members } from "../../document/json-text.js";
import { aboutServer, aboutService } from "../../document/key-members.js";
import type { Style } from "../../cli/color.js";
import { wrapped } from "../../cli/help.js";
import type { Output } from "../../cli/output.js";
import { escapeControls } from "../../cli/escape.js";

/** The result of an examination. */
export interface Report extends Examination {
  readonly role: "director" | "real server";
  /** Why facts are missing */
  readonly reasons: Gathered["reasons"];
  readonly notChecked: Gathered["notChecked"];
  readonly unjudgedRules?: Gathered["unjudgedRules"];
  /** By which ways answers of a real server to the client of `--client` leave */
  readonly answers?: readonly string[] | undefined;
  /** What the packets of the client of `--client` tell, if they were looked at */
  readonly packets?: PacketReport | undefined;
  /** Commands that check, on other machines, some of what was not checked */
  readonly next?: readonly Fix[] | undefined;
}

type Looks = Pick<Output, "paint" | "width">;

const STYLES: Readonly<Record<Severity, Style>> = {
  error: "bad",
  warning: "warning",
  note: "name",
};

const LASTING =
  "Fixes last until reboot unless they write a file. Keep them in the machine's configuration: 'ipvsadm setup -o FORMAT' prints files for it.";

const INDENT = 2;
const LABEL_COLUMNS = 10;

/** The report as text: kind by kind, most severe first. */
export function reportLines(report: Report, looks: Looks): string {
  const diagnoses = diagnosesOf(report.findings);
  return [
    packetsText(report, looks),
    ...diagnoses.map((diagnosis) => `${diagnosisText(diagnosis, looks)}\n`),
    diagnoses.some(({ findings }) => findings.some(({ fix }) => fix.length > 0))
      ? wrapped(LASTING, 0, looks)
      : "",
    answersText(report, looks),
    notCheckedText(report, looks),
    wrapped(summary(report), 0, looks),
  ].join("");
}

/** What packets tell, line by line, before the findings. */
function packetsText({ packets }: Report, looks: Looks): string {
  if (!packets || packets.facts.length === 0) return "";
  const { client, seconds, facts } = packets;
  return [
    `Packets of ${formatAddress(client)}, seen for ${seconds} s:\n`,
    ...facts.map((fact) => stateLine("packets", fact, looks)),
    "\n",
  ].join("");
}

const STATE_STYLES: Readonly<Record<PacketFact["state"], Style>> = {
  ok: "name",
  stops: "bad",
  unknown: "warning",
};

/** A line that begins with a state: `stops   entries   TCP …`. */
export function stateLine(
  step: string,
  { state, text }: PacketFact,
  looks: Looks,
): string {
  const mark = looks.paint[STATE_STYLES[state]](state.padEnd(8));
  const label = `  ${mark}${step.padEnd(LABEL_COLUMNS)}`;
  const body = wrapped(escapeControls(text), 10 + LABEL_COLUMNS, looks);
  return label + body.trimStart();
}

/** What a real server that has no fault does with answers: perhaps the reader knows that this is wrong. */
function answersText({ findings, answers = [] }: Report, looks: Looks): string {
  if (findings.length > 0 || answers.length === 0) return "";
  return [
    "Seen:\n",
    ...answers.map(
      (text) => `  - ${wrapped(escapeControls(text), 4, looks).trimStart()}`,
    ),
  ].join("");
}

function diagnosisText({ kind, findings }: Diagnosis, looks: Looks): string {
  const { paint } = looks;
  const severity = paint[STYLES[kind.severity]](kind.severity);
  const likely = findings.some(({ certainty }) => certainty === "likely");
  const fixes = distinct(findings.flatMap(({ fix }) => fix));
  // Findings of a kind often share their evidence.
  const told = new Set<string>();
  const next = distinct(findings.flatMap((finding) => finding.next ?? []));
  const evidenceTexts = ({ evidence = [] }: Finding) =>
    firstOf(
      evidence.filter((text) => !told.has(text) && told.add(text)),
      (text) => labeled("Evidence", shortened(escapeControls(text)), looks),
      (left) => labeled("", `and ${left} more like this`, looks),
    );
  return [
    `${severity} ${paint.strong(kind.id)}: ${kind.title}${likely ? " (likely)" : ""}\n`,
    ...firstOf(
      findings,
      (finding) =>
        labeled("Seen", seenText(finding), looks) +
        evidenceTexts(finding).join(""),
      (left) =>
        labeled("", `and ${left} more findings of this kind; ${ALL}`, looks),
    ),
    ...distinctWhys(kind, findings).map((why) => labeled("Why", why, looks)),
    ...firstOf(
      next,
      (one) => commandText("Next", one, looks),
      (left) => labeled("", `and ${left} more commands; ${ALL}`, looks),
    ),
    ...firstOf(
      fixes,
      (one) => commandText("Fix", one, looks),
      (left) =>
        labeled("", `and ${left} more commands of the fix; ${ALL}`, looks),
      MOST_FIXES,
    ),
    ...firstOf(
      distinctCures(kind, findings),
      (cure) => curePassages(cure, looks),
      (left) => labeled("", `and the same for ${left} more; ${ALL}`, looks),
    ),
  ].join("");
}

/** More of anything would hide the rest. */
const MOST_SHOWN = 8;
/** A fix helps only as a whole, so more of it is shown. */
const MOST_FIXES = 20;
/** Of kinds that could not be looked for, by reason */
const MOST_KINDS = 12;
const ALL = "-o json prints all of them";

/** The first of many as text, and how many are left. */
function firstOf<T>(
  all: readonly T[],
  show: (one: T) => string,
  rest: (left: number) => string,
  most = MOST_SHOWN,
): string[] {
  const left = all.length - most;
  const first = all.slice(0, most).map(show);
  return left > 0 ? [...first, rest(left)] : first;
}

/** Longer texts list many names. */
const LONGEST_TEXT = 1000;
const SHORTENED_TEXT = 500;

/** A text without the rest of a long list. */
function shortened(text: string): string {
  if (text.length <= LONGEST_TEXT) return text;
  const start = text.slice(0, SHORTENED_TEXT);
  const end = Math.max(
    ...[", ", "; ", " and "].map((separator) => start.lastIndexOf(separator)),
  );
  return `${end > 0 ? start.slice(0, end) : start} … (-o json prints all of it)`;
}

/** The names of a subject, without the rest of a long list. */
function shortSubject(subject: string): string {
  const names = subject.split(", ");
  const left = names.length - MOST_SHOWN;
  return left > 0
    ? `${names.slice(0, MOST_SHOWN).join(", ")} and ${left} more`
    : subject;
}

/** Why the findings matter, each reason once. */
function distinctWhys(kind: Kind, findings: readonly Finding[]): string[] {
  return [...new Set(findings.map(({ why }) => why ?? kind.why))];
}

/** How to fix what no command fixes. The cure of the kind is printed only if there is no command at all. */
function distinctCures(
  kind: Kind,
  findings: readonly Finding[],
): (readonly Passage[])[] {
  const commands = findings.some(({ fix }) => fix.length > 0);
  const cures = findings
    .filter(
      ({ fix, cure, procedure }) =>
        fix.length === 0 &&
        (cure !== undefined || procedure !== undefined || !commands),
    )
    .map((finding) => cureOf(kind, finding));
  return [...new Map(cures.map((one) => [procedureText(one), one])).values()];
}

function cureOf(kind: Kind, { cure, procedure }: Finding): readonly Passage[] {
  return procedure ?? [cure ?? kind.cure];
}

/** A cure, with each of its commands on a line of its own. */
function curePassages(passages: readonly Passage[], looks: Looks): string {
  return passages
    .map((one, i) =>
      typeof one === "string"
        ? labeled(i === 0 ? "Fix" : "", escapeControls(one), looks)
        : one.commands
            .map((command) => verbatim("", escapeControls(command), looks))
            .join(""),
    )
    .join("");
}

/** The same command for several findings is printed once. */
export function distinct(fixes: readonly Fix[]): Fix[] {
  return [...new Map(fixes.map((one) => [fixText(one), one])).values()];
}

/** A command is to be copied, so it is not broken into lines. */
export function commandText(label: string, fix: Fix, looks: Looks): string {
  const { effect } = fix;
  return [
    verbatim(label, fixText(fix), looks),
    ...(effect === undefined
      ? []
      : [labeled("", shortened(`Effect: ${escapeControls(effect)}`), looks)]),
  ].join("");
}

function seenText({ subject, seen }: Finding): string {
  const text = shortened(escapeControls(seen));
  return subject === undefined
    ? text
    : `${escapeControls(shortSubject(subject))}: ${text}`;
}

function fixText({ command, on }: Fix): string {
  return escapeControls(on === undefined ? command : `on ${on}: ${command}`);
}

function labeled(label: string, text: string, looks: Looks): string {
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

/** What was not checked: findings that could not be looked for, reason by reason, then the rest. */
function notChecked({ unexamined, reasons, notChecked: rest }: Report) {
  const byReason = new Map<string, FindingId[]>();
  for (const { id, wanting } of unexamined) {
    const reason = reasons.get(wanting);
    if (reason === undefined) continue;
    byReason.set(reason, [...(byReason.get(reason) ?? []), id]);
  }
  return [
    ...Array.from(byReason, ([reason, ids]) => `${someOf(ids)} (${reason})`),
    ...rest,
  ].map(escapeControls);
}

/** The first kinds, and how many are left. The reason, which comes after them, must not get lost. */
function someOf(ids: readonly FindingId[]): string {
  const left = ids.length - MOST_KINDS;
  return left > 0
    ? `${ids.slice(0, MOST_KINDS).join(", ")} and ${left} more kinds; ${ALL}`
    : ids.join(", ");
}

function notCheckedText(report: Report, looks: Looks): string {
  const all = notChecked(report);
  if (all.length === 0) return "";
  return [
    notCheckedList(all, looks),
    ...(report.next ?? []).map((one) => commandText("Next", one, looks)),
  ].join("");
}

/** What was not checked, as a list; nothing if it is empty. */
export function notCheckedList(all: readonly string[], looks: Looks): string {
  if (all.length === 0) return "";
  return [
    "Not checked:\n",
    ...all.map(
      (text) => `  - ${wrapped(shortened(text), 4, looks).trimStart()}`,
    ),
  ].join("");
}

function summary(report: Report): string {
  const { findings, examined, packets, unjudgedRules = 0 } = report;
  // A kind with several subjects is printed, and counted, once.
  const count = (severity: Severity) =>
    diagnosesOf(findings).filter(({ kind }) => kind.severity === severity)
      .length;
  const looked = `${counted(examined.length, "kind")} of fault checked`;
  const isStopped = packets?.facts.some(({ state }) => state === "stops");
  if (findings.length === 0)
    return examined.length === 0
      ? "No kind of fault could be checked."
      : `No ${isStopped ? "other " : ""}fault found, ${looked}${unjudgedRules === 0 ? "" : `; ${counted(unjudgedRules, "firewall rule")} could not be judged: see Not checked`}.`;
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

/** The report as JSON. */
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
        ...namesOf(finding),
        seen: escapeControls(finding.seen),
        certainty: finding.certainty ?? "proven",
        evidence: (finding.evidence ?? []).map(escapeControls),
        why: finding.why ?? kind.why,
        next: (finding.next ?? []).map(fixJson),
        fix: finding.fix.map(fixJson),
        cure: escapeControls(procedureText(cureOf(kind, finding))),
      })),
    ),
    examined: [...examined],
    unexamined: unexamined.map(({ id, wanting }) => ({
      id,
      reason: reasons.get(wanting) ?? null,
    })),
    ...(report.answers && report.answers.length > 0
      ? { answers: report.answers.map(escapeControls) }
      : {}),
    ...(report.packets
      ? {
          packets: report.packets.facts.map(({ state, text }) => ({
            state,
            text: escapeControls(text),
          })),
        }
      : {}),
    notChecked: report.notChecked.map(escapeControls),
    next: (report.next ?? []).map(fixJson),
  };
}

/** The service and the real server that a finding is about. */
function namesOf({ service, server }: Finding): Members {
  if (!service) return {};
  return server ? aboutServer(service, server) : aboutService(service);
}

export function fixJson({ command, on, effect }: Fix): Json {
  return {
    command: escapeControls(command),
    on: on === undefined ? null : escapeControls(on),
    effect: effect === undefined ? null : escapeControls(effect),
  };
}
