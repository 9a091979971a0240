import type { DirectorState } from "../../src/fleet/director-state.js";
import { recordBytes } from "../../src/fleet/record.js";
import type { MemoryCluster } from "../store/memory-store.js";
import { KEYS } from "./rig.js";

const STATE: DirectorState = {
  table: "web",
  labels: { site: "fra" },
  condition: "ok",
  wanted: 1,
  applied: 1,
  sha256: "abc",
  paused: false,
  dryRun: false,
  heals: false,
  drift: { add: 0, change: 0, remove: 0 },
  drains: [],
  since: "2026-01-02T03:04:05.000Z",
  version: "1",
};

const LOAD = {
  at: "2026-01-02T03:04:05.000Z",
  activeConnections: 5,
  inactiveConnections: 1,
  connectionsPerSecond: 2,
  inBytesPerSecond: 1000,
  outBytesPerSecond: 2000,
};

/** Writes what a director would report. */
export function reportDirector(
  cluster: MemoryCluster,
  name: string,
  state: object,
  { alive = true } = {},
): void {
  cluster.commit(
    [],
    [
      { put: KEYS.state(name), value: recordBytes({ ...STATE, ...state }) },
      { put: KEYS.load(name), value: recordBytes(LOAD) },
      ...(alive ? [{ put: KEYS.alive(name), value: recordBytes({}) }] : []),
    ],
  );
}
