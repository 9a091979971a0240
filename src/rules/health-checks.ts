import type { ServerKey } from "../ipvs/model.js";
import type { ServerRule, ServiceRule } from "../ipvs/table.js";

/** A program that checks the health of real servers, and changes the table by the results. */
export type HealthChecker = "keepalived" | "ldirectord";

/** How the checks that a configuration contains can change the table. The checks themselves are not read. */
export interface HealthChecks {
  readonly program: HealthChecker;
  /** The real servers that are checked */
  readonly servers: ReadonlyMap<ServerRule, ServerCheck>;
  /** The server that takes over while a service has no healthy server */
  readonly fallbacks: ReadonlyMap<ServiceRule, ServerKey>;
}

/** What a check does to its real server. */
export interface ServerCheck {
  /** While the check fails, the server is removed, or has weight 0. */
  readonly failed: "removed" | "weight-0";
  /** Whether the check also sets the weight of a healthy server */
  readonly setsWeight: boolean;
}
