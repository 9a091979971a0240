import type { ServerEntry } from "../../ipvs/model.js";

type Counts = Pick<
  ServerEntry,
  "activeConnections" | "inactiveConnections" | "persistentConnections"
>;

/** `12 active, 4 inactive and 2 persistent connections` */
export function connectionsText(entry: Counts): string {
  const { activeConnections, inactiveConnections, persistentConnections } =
    entry;
  return `${activeConnections} active, ${inactiveConnections} inactive and ${persistentConnections} persistent connections`;
}

/** `weight 0 (was 3)`; the old weight may be unknown. */
export function weightText(before: number | undefined): string {
  return before === undefined ? "weight 0" : `weight 0 (was ${before})`;
}
