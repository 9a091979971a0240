import type { AssessedService } from "../../ipvs/state.js";

/** The connections of a service's real servers. */
export interface Sums {
  readonly active: number;
  readonly inactive: number;
  readonly persistent: number;
}

/** Adds up what the servers of a service have. */
export function sumsOf({ servers }: Pick<AssessedService, "servers">): Sums {
  let active = 0;
  let inactive = 0;
  let persistent = 0;
  for (const server of servers) {
    active += server.activeConnections;
    inactive += server.inactiveConnections;
    persistent += server.persistentConnections;
  }
  return { active, inactive, persistent };
}
