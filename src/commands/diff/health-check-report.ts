import type { Json } from "../../document/json-text.js";
import { aboutServer } from "../../document/key-members.js";
import { formatSelector } from "../../grammar/selector.js";
import { formatEndpoint } from "../../ipvs/model.js";
import type { HealthChecker } from "../../rules/health-checks.js";
import type { HealthCheckChange } from "./health-check-changes.js";

/**
 * The section of differences that health checks can explain.
 *
 * @param isKnown whether it is known what the program has read
 */
export function* healthCheckLines(
  changes: readonly HealthCheckChange[],
  program: HealthChecker,
  isKnown: boolean,
): Generator<string> {
  yield `${isKnown ? "Health" : "Probably health"} checks of ${program}:`;
  let last = "";
  for (const { service, ...change } of changes) {
    const name = formatSelector(service);
    if (name !== last) yield `  ${name}`;
    last = name;
    const { address, port } = change.server;
    yield `    ${formatEndpoint(address, port)}  ${causeText(change, program)}`;
  }
  if (!isKnown && changes.some(({ kind }) => kind === "removed"))
    yield `  A server that was added to the file after ${program} last read it looks the same.`;
}

function causeText(
  { kind, weight, currentWeight }: Omit<HealthCheckChange, "service">,
  program: HealthChecker,
): string {
  switch (kind) {
    case "removed":
      return `in the file, not in the table: ${program} removes a server whose check fails`;
    case "weight":
      return currentWeight === 0
        ? `weight ${weight ?? 0} in the file, 0 in the table: ${program} sets weight 0 when a check fails`
        : `weight ${weight ?? 0} in the file, ${currentWeight ?? 0} in the table: a check sets the weight`;
    case "fallback":
      return `in the table: the ${fallbackName(program)} is in use`;
  }
}

function fallbackName(program: HealthChecker): string {
  return program === "keepalived" ? "sorry server" : "fallback server";
}

/** What would happen without the health check, as in the member `changes`. */
const CHANGES = { removed: "add", weight: "change", fallback: "remove" };

/** The member `healthChecks` of the JSON document. */
export function healthChecksJson(changes: readonly HealthCheckChange[]): Json {
  return changes.map(({ service, server, kind, weight, currentWeight }) => ({
    cause: kind,
    change: CHANGES[kind],
    of: "server",
    ...aboutServer(service, server),
    from: currentWeight === undefined ? undefined : { weight: currentWeight },
    to: weight === undefined ? undefined : { weight },
  }));
}
