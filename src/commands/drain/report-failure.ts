import { explain } from "../../cli/errors.js";
import type { Invocation } from "../../cli/invocation.js";
import { EXIT } from "../../cli/exit-status.js";
import { formatSelector } from "../../grammar/selector.js";
import type { Change } from "../../ipvs/change.js";
import { formatEndpoint } from "../../ipvs/model.js";
import type { PlanFailed } from "../../plan/plan-failed.js";
import { statusOf, type EndingSignal } from "../../system/signals.js";
import type { Members } from "../../document/json-text.js";
import { aboutServer } from "../../document/key-members.js";

/** A failure in words, as data, and its exit status. */
export interface FailureReport {
  readonly status: number;
  /** The members of the JSON document */
  readonly members: Members;
}

/**
 * Reports on stderr that weights could not be changed or servers not be removed, and the state of the table after the
 * rollback: each server that is not as before, and how to restore it.
 *
 * @param signal the signal that ended the run, if one did
 * @throws the cause, if it is a bug
 */
export function reportFailure(
  failed: PlanFailed,
  signal: EndingSignal | undefined,
  { output }: Pick<Invocation, "output">,
): FailureReport {
  const { cause, done, notRolledBack, unknown } = failed;
  const explained = signal === undefined ? explain(cause) : undefined;
  if (!explained && signal === undefined) throw cause;
  const reason = explained?.fault ?? `interrupted by ${signal ?? ""}`;
  output.complain(reason, explained?.advice);
  for (const { step, undo, failure } of notRolledBack)
    output.complain(
      `not rolled back: ${madeText(step.change)}: ${explain(failure)?.fault ?? failure.message}`,
      restoreText(undo),
    );
  for (const { change, undo } of unknown)
    output.complain(
      `the answer was lost: perhaps ${madeText(change)}`,
      undo.map(restoreText).join("; "),
    );
  output.complain(finalText(failed));
  return {
    status:
      signal === undefined
        ? (explained?.status ?? EXIT.failed)
        : statusOf(signal),
    members: {
      state: "failed",
      reason,
      rolledBack:
        done.length - new Set(notRolledBack.map((one) => one.step)).size,
      notRolledBack: notRolledBack.map(({ step }) => memberOf(step.change)),
      unknown: unknown.map(({ change }) => memberOf(change)),
    },
  };
}

function finalText({ done, notRolledBack, unknown }: PlanFailed): string {
  const left = notRolledBack.length + unknown.length;
  if (left > 0)
    return `the rollback is incomplete: ${left === 1 ? "1 change remains" : `${left} changes remain`}`;
  if (done.length === 0) return "nothing was changed";
  return `${done.length === 1 ? "1 change was" : `${done.length} changes were`} rolled back; all weights are as before`;
}

/** What a change made: `10.0.0.11:80 of tcp/192.0.2.1:80 has weight 0` */
function madeText(change: Change): string {
  if (change.command === "edit-server")
    return `${nameOf(change)} has weight ${change.settings.weight}`;
  return change.command === "delete-server"
    ? `${nameOf(change)} was removed`
    : change.command;
}

/** How to undo a change by hand. */
function restoreText(undo: Change): string {
  if (undo.command === "edit-server") {
    const { weight } = undo.settings;
    return weight === 0
      ? `to set it back, run 'ipvsadm drain ${wordsOf(undo)}'`
      : `to set it back, run 'ipvsadm undrain ${wordsOf(undo)} --weight ${weight}'`;
  }
  return "to add it again, use 'ipvsadm apply' with your rules";
}

type ServerChange = Extract<
  Change,
  { command: "edit-server" | "add-server" | "delete-server" }
>;

function wordsOf({
  service,
  server,
}: Pick<ServerChange, "service" | "server">) {
  return `${formatSelector(service)} ${formatEndpoint(server.address, server.port)}`;
}

function nameOf({ service, server }: Pick<ServerChange, "service" | "server">) {
  return `${formatEndpoint(server.address, server.port)} of ${formatSelector(service)}`;
}

function memberOf(change: Change): Members {
  if (!("server" in change)) return { change: change.command };
  const { service, server } = change;
  return {
    ...aboutServer(service, server),
    weight: "settings" in change ? change.settings.weight : undefined,
  };
}
