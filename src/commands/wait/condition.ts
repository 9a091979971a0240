import { UsageError } from "../../cli/errors.js";
import { escapeControls } from "../../cli/escape.js";
import type { WaitCondition } from "../../drain/wait-for.js";
import { SERVER_STATES, SERVICE_STATES } from "../../ipvs/state.js";
import { nearest } from "../../text/nearest.js";

/** What a condition is about: a service, or real servers. */
type Subject = "service" | "server";

/**
 * Parses the condition of --for: `drained`, `active=0` or `state=ok`.
 *
 * @throws {UsageError} if it is malformed, or if the subject has no such state
 */
export function parseCondition(
  text: string | undefined,
  subject: Subject,
): WaitCondition {
  if (text === undefined)
    throw new UsageError(
      "missing option --for",
      "wait",
      "--for drained, --for active=0 or --for state=ok",
    );
  if (text === "drained") return { kind: "drained" };
  const [, name, value = ""] = /^([a-z]+)=(.*)$/s.exec(text) ?? [];
  if (name === "active" && /^[0-9]{1,10}$/.test(value))
    return { kind: "active", atMost: Number(value) };
  if (name === "state") return { kind: "state", state: state(value, subject) };
  throw new UsageError(
    `--for ${escapeControls(text)}: expected drained, active=NUMBER or state=STATE`,
    "wait",
    suggestion(text),
  );
}

function suggestion(text: string): string | undefined {
  const near = nearest(text, ["drained", "active=0", "state=ok"]);
  return near && `--for ${near}`;
}

function state(
  value: string,
  subject: Subject,
): Extract<WaitCondition, { kind: "state" }>["state"] {
  const known = subject === "service" ? SERVICE_STATES : SERVER_STATES;
  const found = known.find((one) => one === value);
  if (found !== undefined) return found;
  const near = nearest(value, known);
  throw new UsageError(
    `--for state=${escapeControls(value)}: the states of a ${subject === "service" ? "service" : "real server"} are ${known.join(", ")}`,
    "wait",
    near && `--for state=${near}`,
  );
}

/** A condition as the command line names it. */
export function conditionText(condition: WaitCondition): string {
  switch (condition.kind) {
    case "drained":
      return "drained";
    case "active":
      return `active=${condition.atMost}`;
    case "state":
      return `state=${condition.state}`;
  }
}
