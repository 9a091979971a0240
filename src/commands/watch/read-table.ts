import { selects, type ServiceSelector } from "../../grammar/selector.js";
import type { IpvsClient } from "../../ipvs/client.js";
import { IpvsUnavailable, KernelRefusal } from "../../ipvs/errors.js";
import type { ServiceWithServers } from "../../ipvs/model.js";
import { ENOENT, EOPNOTSUPP } from "../../netlink/errno.js";
import type { Named } from "../../cli/selectors.js";
import type { Clock } from "./clock.js";
import { nextEventLoopTurn } from "../../system/event-loop.js";

/** The table, and when it was read. */
export interface Reading {
  /** In seconds of the clock */
  readonly at: number;
  /** How long reading took */
  readonly durationSeconds: number;
  readonly date: Date;
  readonly services: readonly ServiceWithServers[];
}

/**
 * Reads services and their servers. Between chunks of a long table, other events are handled, such as keys.
 *
 * @param selected the services to read. Empty: all
 * @throws {IpvsUnavailable} also if the module was unloaded after the client was opened
 */
export async function readTable(
  client: IpvsClient,
  selected: readonly Named<ServiceSelector>[],
  clock: Clock,
): Promise<Reading> {
  const date = clock.date();
  const at = clock.now();
  try {
    const services: ServiceWithServers[] = [];
    const entries = (await client.services()).filter(
      ({ key }) =>
        selected.length === 0 ||
        selected.some(({ selector }) => selects(selector, key)),
    );
    for await (const chunk of client.withServers(entries)) {
      services.push(...chunk);
      await nextEventLoopTurn();
    }
    return { at, durationSeconds: clock.now() - at, date, services };
  } catch (error) {
    throw unloadedError(error);
  }
}

/** Turns errors that mean that the netlink family is gone, because the module was unloaded. Others are returned unchanged. */
export function unloadedError(error: unknown): unknown {
  return error instanceof KernelRefusal &&
    (error.errno === ENOENT || error.errno === EOPNOTSUPP)
    ? new IpvsUnavailable(ENOENT)
    : error;
}
