import type { FindingId } from "./findings.js";

const FOUND_BY_PROBES: ReadonlySet<string> = new Set([
  "server-probe-failed",
  "path-too-small",
  "path-below-mtu",
  "path-back-too-small",
] satisfies FindingId[]);

/** Whether only --probe finds a kind, by its id. */
export function needsProbe(id: string): boolean {
  return FOUND_BY_PROBES.has(id);
}
