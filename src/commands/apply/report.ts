import { jsonText } from "../../document/json-text.js";
import type { Members } from "../../document/write-table.js";
import { changeLine } from "../../grammar/format-rule.js";
import { formatSelector } from "../../grammar/selector.js";
import type { CarriedOut, Left } from "../../plan/execute.js";
import type { Change } from "../../ipvs/change.js";
import { KernelRefusal } from "../../ipvs/errors.js";
import { formatEndpoint } from "../../ipvs/model.js";
import type { PlanFailed } from "../../plan/plan-failed.js";
import { stepsOf, type Step } from "../../plan/plan.js";
import { statusOf, type EndingSignal } from "../../system/signals.js";
import {
  differenceMembers,
  tallyMembers,
} from "../../cli/changes/difference-json.js";
import { differenceLines } from "../../cli/changes/difference-lines.js";
import { tallyOf, tallyText } from "../../cli/changes/tally.js";
import { explain } from "../../cli/errors.js";
import type { Output } from "../../cli/output.js";
import type { Invocation } from "../../cli/invocation.js";
import { named } from "../../cli/rule-file.js";
import { findingLines } from "../../cli/rule-findings.js";
import { escapeControls, fromBytes } from "../../cli/escape.js";
import type { Work } from "./work.js";

/** What `-o json` prints. */
function document(work: Work, result: string, rest: Members): string {
  const { subcommand, file, differences } = work;
  return `${jsonText({
    schema: `ipvsadm/${subcommand}/1`,
    file: file.name,
    result,
    changes: differenceMembers(differences),
    tally: tallyMembers(tallyOf(differences)),
    ...rest,
  })}\n`;
}

function wantsJson({ given }: Invocation): boolean {
  return given.text("output") === "json";
}

/** Says that there is nothing to do. */
export function reportEqual(work: Work, call: Invocation): void {
  const { output } = call;
  if (wantsJson(call)) output.write(document(work, "unchanged", { sent: 0 }));
  else
    output.lines([
      `${named(work.file.name)}: nothing to change, the table is like that`,
    ]);
}

/** Prints the commands that would do it; as a script for -R, with remarks on what else would be done. */
export function reportDryRun(work: Work, call: Invocation): void {
  const { output } = call;
  const { plan } = work;
  const lines = (steps: readonly Step[]) =>
    steps.map(({ change }) => lineOf(change));
  const waits = plan.draining.map(
    ({ service, server: { address, port } }) =>
      `${formatEndpoint(address, port)} of ${formatSelector(service)}`,
  );
  if (wantsJson(call))
    output.write(
      document(work, "dry-run", {
        commands: lines(stepsOf(plan)),
        ...(waits.length > 0 && { waitsFor: waits }),
      }),
    );
  else
    output.lines([
      ...lines([...plan.build, ...plan.quiesce]),
      ...waits.map((server) => `# wait until ${server} is empty`),
      ...lines(plan.remove),
    ]);
}

/** A change in the words of the classic language. */
function lineOf(change: Change): string {
  return escapeControls(fromBytes(changeLine(change)));
}

/** Says what was done, and what was left. */
export function reportDone(
  work: Work,
  { done, left }: CarriedOut,
  call: Invocation,
): void {
  const { output } = call;
  const busy = left.filter(({ state }) => state === "busy");
  const undrained = left.filter(({ state }) => state === "undrained");
  if (wantsJson(call)) {
    output.write(
      document(work, resultOf(left), {
        sent: done.length,
        left: left.map(lineOfLeft),
        ...(undrained.length > 0 && { undrained: undrained.map(lineOfLeft) }),
      }),
    );
  } else {
    output.lines(differenceLines(work.differences, output.paint));
    output.lines([
      tallyText(tallyOf(work.differences), {
        add: "added",
        change: "changed",
        remove: left.length === 0 ? "removed" : "to be removed",
      }),
    ]);
  }
  if (busy.length > 0)
    output.complain(
      `not removed, as there are real servers with connections: ${objectsOf(busy)}`,
      `they stay at weight 0; the same command ${again(call)} waits on`,
    );
  if (undrained.length > 0)
    output.complain(
      `not removed, as somebody gave real servers a weight again: ${objectsOf(undrained)}`,
      `nothing was waited for there; the same command ${again(call)} drains them anew`,
    );
}

function resultOf(left: readonly Left[]): string {
  if (left.length === 0) return "done";
  return left.some(({ state }) => state === "busy") ? "draining" : "undrained";
}

function lineOfLeft({ step: { change } }: Left): string {
  return lineOf(change);
}

function objectsOf(left: readonly Left[]): string {
  return left.map(({ step: { change } }) => objectOf(change)).join(", ");
}

/** How a command is given once more: its backup stays that of the table before. */
function again({ given }: Invocation): string {
  return given.text("backup") === undefined ? "again" : "without --backup";
}

function objectOf(change: Change): string {
  if (change.command === "delete-service")
    return formatSelector(change.service);
  if (change.command !== "delete-server") return lineOf(change);
  const { address, port } = change.server;
  return `${formatEndpoint(address, port)} of ${formatSelector(change.service)}`;
}

/** Says that the table is not as it was wanted, though everything was done. */
export function reportOthers({ file }: Work, { output }: Invocation): void {
  output.complain(
    `the table is not as ${named(file.name)} has it, though all changes were made: somebody else changed it meanwhile`,
    `'ipvsadm diff' shows how it differs`,
  );
}

/** Says what failed and what became of that which had been done by then. @returns the exit status */
export function reportFailed(
  work: Work,
  failed: PlanFailed,
  signal: EndingSignal | undefined,
  call: Invocation,
): number {
  const { output } = call;
  const { step, done, standing, unknown } = failed;
  if (wantsJson(call))
    output.write(
      document(work, "failed", {
        reason:
          explain(failed.cause)?.fault ?? `interrupted by ${signal ?? ""}`,
        failed: step && {
          command: lineOf(step.change),
          ...(step.rule && work.file.placeOf(step.rule)),
        },
        undone: done.length - new Set(standing.map((one) => one.step)).size,
        standing: standing.map((one) => lineOf(one.step.change)),
        unknown: unknown.map(({ change }) => lineOf(change)),
      }),
    );
  const status = reportCause(work, failed, signal, output);
  for (const { step, undo, failure } of standing)
    output.complain(
      `this stands: ${lineOf(step.change)}`,
      `it could not be taken back by ${lineOf(undo)}: ${explain(failure)?.fault ?? failure.message}`,
    );
  for (const { change } of unknown)
    output.complain(`this may have been carried out: ${lineOf(change)}`);
  output.complain(...fateOf(failed));
  return status;
}

/** Says what failed: a rule, as `check` shows what is wrong with it, or something else. */
function reportCause(
  { file }: Work,
  { cause, step }: PlanFailed,
  signal: EndingSignal | undefined,
  output: Output,
): number {
  const explained = explain(cause);
  if (!explained) {
    if (signal === undefined) throw cause;
    output.complain(`interrupted by ${signal}`);
    return statusOf(signal);
  }
  const { fault, advice, status } = explained;
  // That the way to the kernel broke is no fault of a rule.
  const place =
    cause instanceof KernelRefusal && step?.rule && file.placeOf(step.rule);
  if (!place) output.complain(fault, advice);
  else {
    const finding = {
      place,
      id: "refused",
      fault,
      ...(advice !== undefined && { advice }),
    };
    const { errorPaint: paint, width } = output;
    output.report(findingLines(file, "error", finding, { paint, width }));
  }
  return status;
}

/** How the table stands after a failure, and what to do. */
function fateOf({
  done,
  standing,
  unknown,
}: PlanFailed): [string, string | undefined] {
  if (standing.length + unknown.length > 0)
    return [
      "not everything could be put back, the table is between the old and the new",
      "'ipvsadm diff' shows how far it is; 'ipvsadm restore' of a backup brings the old one back",
    ];
  if (done.length === 0) return ["nothing was changed", undefined];
  const removed = done.some(
    ({ change: { command } }) =>
      command === "delete-service" || command === "delete-server",
  );
  const count =
    done.length === 1
      ? "the change that had been made was"
      : `the ${done.length} changes that had been made were`;
  return [
    `${count} put back, the table is as it was${removed ? ", but for the counters of what had been removed" : ""}`,
    undefined,
  ];
}
