import type { IpvsClient } from "../ipvs/client.js";
import type { Existing } from "./compare.js";
import { settingsText } from "../ipvs/settings-text.js";

/** Which parts of what the kernel has are read beside the services. */
export interface Parts {
  readonly timeouts: boolean;
  readonly daemons: boolean;
}

/** The calls by which it is read. */
export type Readable = Pick<
  IpvsClient,
  "table" | "steadyTable" | "timeouts" | "daemons"
>;

/**
 * Reads what the kernel has.
 *
 * @param how `once` takes the table as it comes; while it is changed meanwhile, a service may be missed or come
 *   twice. `steady` reads it until two readings agree.
 * @throws {TableUnsteady} when it changed every time
 */
export async function readExisting(
  client: Readable,
  { timeouts, daemons }: Parts,
  how: "once" | "steady",
): Promise<Existing> {
  return {
    services: await (how === "once" ? client.table() : client.steadyTable()),
    ...(timeouts && { timeouts: await client.timeouts() }),
    ...(daemons && { daemons: await client.daemons() }),
  };
}

/** Whether two readings say the same of all that can be set; false if one of them was disturbed. */
export function sameExisting(a: Existing, b: Existing): boolean {
  const services = settingsText(a.services);
  return (
    services !== undefined &&
    services === settingsText(b.services) &&
    textOf(a) === textOf(b)
  );
}

function textOf({ timeouts, daemons = [] }: Existing): string {
  const sorted = daemons.toSorted((a, b) => a.state - b.state);
  return JSON.stringify({ timeouts, daemons: sorted });
}
