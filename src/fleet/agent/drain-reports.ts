import { drainState } from "../../ipvs/drain.js";
import type { CurrentState } from "../../plan/current-state.js";
import type { DrainReport } from "../director-state.js";
import { drains, type Drain } from "../drain.js";

/** What is left of the connections of the drained servers, by the last reading of the table. */
export function drainReports(
  all: readonly Drain[],
  current: CurrentState | undefined,
): DrainReport[] {
  return all.map((drain) => {
    const found = (current?.services ?? []).flatMap(({ key, servers }) =>
      servers
        .filter((server) => drains(drain, key, server.key))
        .map((server) => ({ service: key, server })),
    );
    const empty = found.every(
      ({ service, server }) =>
        drainState(service, server.key, server).state === "empty",
    );
    const sum = (
      name:
        "activeConnections" | "inactiveConnections" | "persistentConnections",
    ) => found.reduce((total, { server }) => total + server[name], 0);
    return {
      id: drain.id,
      state: found.length === 0 ? "absent" : empty ? "empty" : "busy",
      activeConnections: sum("activeConnections"),
      inactiveConnections: sum("inactiveConnections"),
      persistentConnections: sum("persistentConnections"),
    };
  });
}
