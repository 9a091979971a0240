import { setImmediate as otherEvents } from "node:timers/promises";
import {
  selects,
  UnknownSelected,
  type ServiceSelector,
} from "../../grammar/selector.js";
import type { IpvsClient } from "../../ipvs/client.js";
import { IpvsUnavailable, KernelRefusal } from "../../ipvs/errors.js";
import type { ServiceWithServers } from "../../ipvs/model.js";
import { ENOENT, EOPNOTSUPP } from "../../netlink/errno.js";
import type { Clock } from "./clock.js";

/** The table as it was read. */
export interface Reading {
  /** When its services were read, in seconds of the clock */
  readonly at: number;
  /** How long reading took */
  readonly seconds: number;
  readonly date: Date;
  readonly services: readonly ServiceWithServers[];
}

/** A service that is to be watched, and how somebody wrote it. */
export interface Wanted {
  readonly text: string;
  readonly selector: ServiceSelector;
}

/**
 * Reads the services that are wanted, all if none is named. Between the chunks of a long table other events
 * have their turn: keys, above all.
 *
 * @throws {IpvsUnavailable} also when the module has been unloaded since the client was opened
 */
export async function readTable(
  client: IpvsClient,
  wanted: readonly Wanted[],
  clock: Clock,
): Promise<Reading> {
  const date = clock.date();
  const at = clock.now();
  try {
    const services: ServiceWithServers[] = [];
    const entries = (await client.services()).filter(
      ({ key }) =>
        wanted.length === 0 ||
        wanted.some(({ selector }) => selects(selector, key)),
    );
    for await (const some of client.withServers(entries)) {
      services.push(...some);
      await otherEvents();
    }
    return { at, seconds: clock.now() - at, date, services };
  } catch (error) {
    // What is sent to a family that is no more is answered so.
    if (
      error instanceof KernelRefusal &&
      (error.errno === ENOENT || error.errno === EOPNOTSUPP)
    )
      throw new IpvsUnavailable(ENOENT);
    throw error;
  }
}

/**
 * Holds the first reading against what was wanted: a service that is not there is a typing error, most likely.
 *
 * @throws {UnknownSelected}
 */
export function checkWanted(
  { services }: Reading,
  wanted: readonly Wanted[],
): void {
  for (const { text, selector } of wanted)
    if (!services.some(({ key }) => selects(selector, key)))
      throw new UnknownSelected(
        `there is no service ${text}`,
        "'ipvsadm list' shows the services that there are",
      );
}
