import type { CurrentState } from "../plan/current-state.js";
import type { Differences } from "../plan/compare.js";
import type { ServerKey, ServiceKey } from "../ipvs/model.js";
import type { Table } from "../ipvs/table.js";
import { RevisionError } from "./fleet-error.js";

/** More than this share of the real servers does not get removed, or weight 0, without --force. */
export const MOST_REMOVALS = 0.5;

/** What a revision allows. */
export interface Permits {
  readonly force: boolean;
  readonly allowEmpty: boolean;
}

/** What checkRemovals() allows. */
export interface RemovalLimits {
  readonly permits: Permits;
  /** The largest share of the real servers that may be removed. Default: MOST_REMOVALS */
  readonly most?: number | undefined;
  /** Whether a real server is drained: then it has weight 0 because an operator wants that. Default: none is */
  readonly isDrained?:
    ((service: ServiceKey, server: ServerKey) => boolean) | undefined;
}

/**
 * Refuses to remove all services, or to remove a large share of the real servers, or to give it weight 0: it is usually a
 * mistake.
 *
 * @throws {RevisionError} `empty`, `removes-too-much`
 */
export function checkRemovals(
  desired: Table,
  current: CurrentState,
  { services }: Differences,
  {
    permits: { force, allowEmpty },
    most = MOST_REMOVALS,
    isDrained = () => false,
  }: RemovalLimits,
): void {
  if (
    desired.services.length === 0 &&
    current.services.length > 0 &&
    !allowEmpty
  )
    throw new RevisionError(
      "empty",
      `it has no services, but there are ${current.services.length}`,
    );
  let removed = 0;
  let zeroed = 0;
  for (const one of services) {
    if (one.kind === "remove") removed += one.service.servers.length;
    if (one.kind !== "change") continue;
    for (const server of one.servers) {
      if (server.kind === "remove") removed++;
      if (server.kind !== "change") continue;
      const { key, settings } = server.server;
      if (
        server.to.weight === 0 &&
        settings.weight !== 0 &&
        !isDrained(one.service.key, key)
      )
        zeroed++;
    }
  }
  const all = current.services.reduce(
    (sum, { servers }) => sum + servers.length,
    0,
  );
  const emptied = desired.services.length === 0 && allowEmpty;
  if (removed + zeroed <= all * most || force || emptied) return;
  const limit = `more than ${Math.round(most * 100)}%`;
  throw new RevisionError(
    "removes-too-much",
    zeroed === 0
      ? `it removes ${removed} of ${all} real servers, ${limit}`
      : `of ${all} real servers, it removes ${removed} and sets the weight of ${zeroed} to 0, ${limit}`,
  );
}
