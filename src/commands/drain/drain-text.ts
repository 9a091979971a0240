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

/** The connections of several servers together. */
export function totalOf(entries: readonly Counts[]): Counts {
  const sum = (name: keyof Counts) =>
    entries.reduce((total, entry) => total + entry[name], 0);
  return {
    activeConnections: sum("activeConnections"),
    inactiveConnections: sum("inactiveConnections"),
    persistentConnections: sum("persistentConnections"),
  };
}

/** `1 service` or `3 services` */
export function servicesText(count: number): string {
  return count === 1 ? "1 service" : `${count} services`;
}

/** `weight 0 (was 3)`; the old weight may be unknown. */
export function weightText(before: number | undefined): string {
  return before === undefined ? "weight 0" : `weight 0 (was ${before})`;
}
