import { jsonText } from "../../document/json-text.js";
import type { Members } from "../../document/write-table.js";
import { aboutServer, aboutService } from "../../document/key-members.js";
import { changeLine } from "../../grammar/format-rule.js";
import { formatSelector } from "../../grammar/selector.js";
import type { PlanResult, SkippedRemoval } from "../../plan/execute-plan.js";
import type { Change } from "../../ipvs/change.js";
import { KernelRefusal } from "../../ipvs/errors.js";
import { formatEndpoint } from "../../ipvs/model.js";
import type { PlanFailed } from "../../plan/plan-failed.js";
import { allSteps, type Step } from "../../plan/plan.js";
import { statusOf, type EndingSignal } from "../../system/signals.js";
import {
  countDifferences,
  countsText,
} from "../../cli/changes/difference-counts.js";
import { differencesJson } from "../../cli/changes/difference-json.js";
import {
  differenceLines,
  upToDateText,
} from "../../cli/changes/difference-lines.js";
import { explain } from "../../cli/errors.js";
import { explainFailure } from "./explain-failure.js";
import type { Output } from "../../cli/output.js";
import type { Invocation } from "../../cli/invocation.js";
import { named } from "../../cli/rule-file.js";
import { findingLines } from "../../cli/rule-findings.js";
import { escapeControls, fromBytes } from "../../cli/escape.js";
import type { PreparedPlan } from "./apply-request.js";

/** The document of `-o json`. */
function document(
  prepared: PreparedPlan,
  result: string,
  rest: Members,
): string {
  const { subcommand, file, differences } = prepared;
  return `${jsonText({
    schema: `ipvsadm/${subcommand}/1`,
    file: file.name,
    result,
    ...differencesJson(differences),
    ...rest,
  })}\n`;
}

function wantsJson({ given }: Invocation): boolean {
  return given.text("output") === "json";
}

/** Reports that there is nothing to change. */
export function reportUpToDate(prepared: PreparedPlan, call: Invocation): void {
  const { output } = call;
  if (wantsJson(call))
    output.write(document(prepared, "unchanged", { sent: 0 }));
  else if (!call.given.flag("quiet"))
    output.lines([upToDateText(prepared.file.name)]);
}

/** Prints the commands that would make the changes, as input for -R. Comments show where apply would wait. */
export function reportDryRun(prepared: PreparedPlan, call: Invocation): void {
  const { output } = call;
  const { plan } = prepared;
  const lines = (steps: readonly Step[]) =>
    steps.map(({ change }) => lineOf(change));
  const waits = plan.draining.map(
    ({ service, server: { address, port } }) =>
      `${formatEndpoint(address, port)} of ${formatSelector(service)}`,
  );
  if (wantsJson(call))
    output.write(
      document(prepared, "dry-run", {
        commands: lines(allSteps(plan)),
        ...(plan.draining.length > 0 && {
          waitsFor: plan.draining.map(({ service, server }) =>
            aboutServer(service, server),
          ),
        }),
      }),
    );
  else
    output.lines([
      ...lines([...plan.build, ...plan.quiesce]),
      ...waits.map((server) => `# wait until ${server} is empty`),
      ...lines(plan.remove),
    ]);
}

/** A change as a classic command line. */
function lineOf(change: Change): string {
  return escapeControls(fromBytes(changeLine(change)));
}

/** A change as a command line, with what it changes. */
function changeMembers(change: Change): Members {
  const names =
    "server" in change
      ? aboutServer(change.service, change.server)
      : "service" in change && change.service
        ? aboutService(change.service)
        : {};
  return { command: lineOf(change), ...names };
}

/** Reports the changes that were made, and the removals that were skipped. */
export function reportDone(
  prepared: PreparedPlan,
  { done, skipped }: PlanResult,
  call: Invocation,
): void {
  const { output } = call;
  const busy = skipped.filter(({ state }) => state === "busy");
  const undrained = skipped.filter(({ state }) => state === "undrained");
  if (wantsJson(call)) {
    output.write(
      document(prepared, resultOf(skipped), {
        sent: done.length,
        left: skipped.map(({ step, state }) => ({
          ...changeMembers(step.change),
          reason: state,
        })),
      }),
    );
  } else if (!call.given.flag("quiet")) {
    output.lines(differenceLines(prepared.differences, output.paint));
    output.lines([
      countsText(countDifferences(prepared.differences), {
        add: "added",
        change: "changed",
        remove: skipped.length === 0 ? "removed" : "to be removed",
      }),
    ]);
  }
  if (busy.length > 0)
    output.complain(
      `not removed because of open connections: ${subjectsOf(busy)}`,
      `the weight stays 0; to continue draining, run the same command ${again(call)}`,
    );
  if (undrained.length > 0)
    output.complain(
      `not removed because the weight was changed meanwhile: ${subjectsOf(undrained)}`,
      `to drain and remove, run the same command ${again(call)}`,
    );
}

function resultOf(skipped: readonly SkippedRemoval[]): string {
  if (skipped.length === 0) return "done";
  return skipped.some(({ state }) => state === "busy")
    ? "draining"
    : "undrained";
}

function subjectsOf(skipped: readonly SkippedRemoval[]): string {
  return skipped.map(({ step: { change } }) => subjectOf(change)).join(", ");
}

/** How to repeat the command. Without --backup, so that the backup of the original table is kept. */
function again({ given }: Invocation): string {
  return given.text("backup") === undefined ? "again" : "without --backup";
}

function subjectOf(change: Change): string {
  if (change.command === "delete-service")
    return formatSelector(change.service);
  if (change.command !== "delete-server") return lineOf(change);
  const { address, port } = change.server;
  return `${formatEndpoint(address, port)} of ${formatSelector(change.service)}`;
}

/** Reports that the table does not match the file although all changes were made. */
export function reportMismatch(
  { file }: PreparedPlan,
  { output }: Invocation,
): void {
  output.complain(
    `all changes were made, but the table does not match ${named(file.name)}: another program changed it meanwhile`,
    `'ipvsadm diff' shows the differences`,
  );
}

/** Reports the failure and the state of the table after the rollback. @returns the exit status */
export function reportFailed(
  prepared: PreparedPlan,
  failed: PlanFailed,
  signal: EndingSignal | undefined,
  call: Invocation,
): number {
  const { output } = call;
  const { step, done, notRolledBack, unknown } = failed;
  if (wantsJson(call))
    output.write(
      document(prepared, "failed", {
        reason:
          explainFailure(failed)?.fault ?? `interrupted by ${signal ?? ""}`,
        failed: step && {
          ...changeMembers(step.change),
          ...(step.rule && prepared.file.positionOf(step.rule)),
        },
        undone:
          done.length - new Set(notRolledBack.map((one) => one.step)).size,
        standing: notRolledBack.map((one) => changeMembers(one.step.change)),
        unknown: unknown.map(({ change }) => changeMembers(change)),
      }),
    );
  const status = reportCause(prepared, failed, signal, output);
  for (const { step, undo, failure } of notRolledBack)
    output.complain(
      `not rolled back: ${lineOf(step.change)}`,
      `${lineOf(undo)} failed: ${explain(failure)?.fault ?? failure.message}`,
    );
  for (const { change } of unknown)
    output.complain(`possibly made, the answer was lost: ${lineOf(change)}`);
  output.complain(...finalState(failed));
  return status;
}

/** Reports the cause: for a refused rule, with its line, as `check` does. */
function reportCause(
  { file }: PreparedPlan,
  failed: PlanFailed,
  signal: EndingSignal | undefined,
  output: Output,
): number {
  const { cause, step } = failed;
  const explained = explainFailure(failed);
  if (!explained) {
    if (signal === undefined) throw cause;
    output.complain(`interrupted by ${signal}`);
    return statusOf(signal);
  }
  const { fault, advice, status, part } = explained;
  // A socket error is not the fault of a rule.
  const position =
    cause instanceof KernelRefusal &&
    step?.rule &&
    file.positionOf(step.rule, part);
  if (!position) output.complain(fault, advice);
  else {
    const finding = {
      position,
      id: "refused",
      message: fault,
      ...(advice !== undefined && { advice }),
    };
    const { errorPaint: paint, width } = output;
    output.report(findingLines(file, "error", finding, { paint, width }));
  }
  return status;
}

/** The state of the table after a failure, and what to do. */
function finalState({
  done,
  notRolledBack,
  unknown,
}: PlanFailed): [string, string | undefined] {
  if (notRolledBack.length + unknown.length > 0)
    return [
      "the rollback is incomplete: the table contains old and new rules",
      "'ipvsadm diff' shows what differs from the file; 'ipvsadm restore' with a backup returns to the old table",
    ];
  if (done.length === 0) return ["nothing was changed", undefined];
  const removed = done.some(
    ({ change: { command } }) =>
      command === "delete-service" || command === "delete-server",
  );
  const count =
    done.length === 1 ? "1 change was" : `${done.length} changes were`;
  return [
    `${count} rolled back; the table is as before${removed ? ", but the counters of removed services and servers are reset" : ""}`,
    undefined,
  ];
}
