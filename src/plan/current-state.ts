import type { IpvsClient } from "../ipvs/client.js";
import { settingsText } from "../ipvs/settings-text.js";
import type { Daemon, ServiceWithServers, Timeouts } from "../ipvs/model.js";

/** The state of the kernel. Parts that were not read are absent, and are not compared. */
export interface CurrentState {
  readonly services: readonly ServiceWithServers[];
  readonly timeouts?: Timeouts;
  readonly daemons?: readonly Daemon[];
}

/** Which parts of the state to read besides the services. */
export interface StateParts {
  readonly timeouts: boolean;
  readonly daemons: boolean;
}

/** The client's calls that read the state. */
export type StateClient = Pick<
  IpvsClient,
  "table" | "steadyTable" | "timeouts" | "daemons"
>;

/**
 * Reads the current state from the kernel.
 *
 * @param how `once` reads the table one time. If another process changes it during the dump, a service may be missing
 *   or appear twice. `steady` repeats the dump until two of them agree.
 * @throws {TableUnsteady} when no two dumps agree
 */
export async function readCurrentState(
  client: StateClient,
  { timeouts, daemons }: StateParts,
  how: "once" | "steady",
): Promise<CurrentState> {
  return {
    services: await (how === "once" ? client.table() : client.steadyTable()),
    ...(timeouts && { timeouts: await client.timeouts() }),
    ...(daemons && { daemons: await client.daemons() }),
  };
}

/** Whether two states have the same settings. False if one of the dumps was inconsistent. */
export function sameState(a: CurrentState, b: CurrentState): boolean {
  const services = settingsText(a.services);
  return (
    services !== undefined &&
    services === settingsText(b.services) &&
    textOf(a) === textOf(b)
  );
}

function textOf({ timeouts, daemons = [] }: CurrentState): string {
  const sorted = daemons.toSorted((a, b) => a.state - b.state);
  return JSON.stringify({ timeouts, daemons: sorted });
}
