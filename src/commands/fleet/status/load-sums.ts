import type { DirectorLoad } from "../../../fleet/director-state.js";
import type { DirectorReport } from "../../../fleet/fleet-report.js";

/** The load of all directors that are not silent. */
export function loadSums(
  directors: readonly DirectorReport[],
): Omit<DirectorLoad, "at"> {
  const sum = (name: Exclude<keyof DirectorLoad, "at">) =>
    directors.reduce(
      (total, { verdict, load }) =>
        total + (verdict === "silent" ? 0 : (load?.[name] ?? 0)),
      0,
    );
  return {
    activeConnections: sum("activeConnections"),
    inactiveConnections: sum("inactiveConnections"),
    connectionsPerSecond: sum("connectionsPerSecond"),
    inBytesPerSecond: sum("inBytesPerSecond"),
    outBytesPerSecond: sum("outBytesPerSecond"),
  };
}
