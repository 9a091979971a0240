import { readFleet } from "../../../fleet/fleet-report.js";
import type { FleetConnection } from "../open-store.js";

/** A drain on one director. */
interface DirectorDrain {
  readonly name: string;
  /** `pending`: the director has not reported it yet */
  readonly state: "busy" | "empty" | "absent" | "pending" | "silent";
  readonly activeConnections?: number | undefined;
  readonly inactiveConnections?: number | undefined;
  readonly persistentConnections?: number | undefined;
}

/** How far a drain is. */
export interface DrainProgress {
  readonly directors: readonly DirectorDrain[];
  /** The number of directors that report */
  readonly live: number;
  /** Directors that have connections, or have not reported the drain yet */
  readonly pending: readonly string[];
  readonly empty: readonly string[];
  readonly silent: readonly string[];
}

/** Reads how far a drain is on each director. @throws {StoreError} */
export async function drainProgress(
  { store, keys }: FleetConnection,
  id: string,
): Promise<DrainProgress> {
  const report = await readFleet(store, keys);
  const directors = report.directors.map(
    ({ name, verdict, state }): DirectorDrain => {
      if (verdict === "silent") return { name, state: "silent" };
      const found = state?.drains.find((one) => one.id === id);
      if (!found) return { name, state: "pending" };
      return {
        name,
        state: found.state,
        activeConnections: found.activeConnections,
        inactiveConnections: found.inactiveConnections,
        persistentConnections: found.persistentConnections,
      };
    },
  );
  const named = (...states: DirectorDrain["state"][]) =>
    directors
      .filter(({ state }) => states.includes(state))
      .map(({ name }) => name);
  const silent = named("silent");
  return {
    directors,
    live: directors.length - silent.length,
    pending: named("busy", "pending"),
    empty: named("empty"),
    silent,
  };
}
