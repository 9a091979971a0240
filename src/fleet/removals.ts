import type { CurrentState } from "../plan/current-state.js";
import type { Differences } from "../plan/compare.js";
import type { Table } from "../ipvs/table.js";
import { RevisionError } from "./fleet-error.js";

/** More than this share of the real servers is not removed without --force. */
export const MOST_REMOVALS = 0.5;

/** What a revision allows. */
export interface Permits {
  readonly force: boolean;
  readonly allowEmpty: boolean;
}

/**
 * Refuses to remove all services, or a large share of the real servers: it is usually a mistake.
 *
 * @param most the largest share of the real servers that may be removed
 * @throws {RevisionError} `empty`, `removes-too-much`
 */
export function checkRemovals(
  desired: Table,
  current: CurrentState,
  { services }: Differences,
  { force, allowEmpty }: Permits,
  most = MOST_REMOVALS,
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
  for (const one of services) {
    if (one.kind === "remove") removed += one.service.servers.length;
    if (one.kind === "change")
      removed += one.servers.filter(({ kind }) => kind === "remove").length;
  }
  const all = current.services.reduce(
    (sum, { servers }) => sum + servers.length,
    0,
  );
  const emptied = desired.services.length === 0 && allowEmpty;
  if (removed > all * most && !force && !emptied)
    throw new RevisionError(
      "removes-too-much",
      `it removes ${removed} of ${all} real servers, more than ${Math.round(most * 100)}%`,
    );
}
