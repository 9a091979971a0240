import { IpvsUnavailable, KernelRefusal } from "../../ipvs/errors.js";
import type { Stats } from "../../ipvs/model.js";
import type { Io } from "../../runtime/io.js";
import type { Known } from "../check.js";
import { serverName } from "../commands.js";
import type { Facts } from "../facts.js";
import type { LaterCounters } from "../later-counters.js";
import {
  hasEnoughDatagrams,
  needsLaterDatagrams,
} from "./reach/pinned-datagrams.js";
import { readTable } from "./read-ipvs.js";
import { silences } from "./reach/silence.js";
import { needsSecondReading } from "./reach/counted-answers.js";

/** The kernel refreshes the counters every two seconds. Clients and servers repeat packets after 1, 2 and 4 seconds. */
const LONGEST_MILLISECONDS = 5000;
const LOOK_MILLISECONDS = 500;

/**
 * Reads the counters again if only that tells whether answers of silent servers come back, or whether all datagrams of a
 * UDP service go to one server: until the counters tell, or for some seconds.
 *
 * @param began when the table was read, in milliseconds
 * @returns undefined if that is not needed, or IPVS is gone
 */
export async function readLaterCounters(
  io: Io,
  facts: Facts & Known<"table" | "allServices" | "connections" | "timeouts">,
  began: number,
): Promise<LaterCounters | undefined> {
  const { network, stations, table } = facts;
  const open =
    network && stations
      ? silences({ ...facts, network, stations }).filter(needsSecondReading)
      : [];
  const datagrams = table.filter((one) => needsLaterDatagrams(one, facts));
  if (open.length + datagrams.length === 0) return undefined;
  const never = new AbortController().signal;
  for (;;) {
    await io.clock.sleep(LOOK_MILLISECONDS, never);
    const servers = await countersOf(io);
    if (!servers) return undefined;
    const milliseconds = io.clock.now() - began;
    const haveSent = open.every(
      ({ service, server }) =>
        (servers.get(serverName(service, server))?.outPackets ?? 0n) >
        server.stats.outPackets,
    );
    const haveCome = datagrams.every((one) => hasEnoughDatagrams(one, servers));
    if ((haveSent && haveCome) || milliseconds >= LONGEST_MILLISECONDS)
      return { servers, seconds: milliseconds / 1000 };
  }
}

async function countersOf(io: Io): Promise<Map<string, Stats> | undefined> {
  try {
    const table = await readTable(io);
    return new Map(
      table.flatMap((service) =>
        service.servers.map(
          (server) => [serverName(service, server), server.stats] as const,
        ),
      ),
    );
  } catch (error) {
    if (error instanceof IpvsUnavailable || error instanceof KernelRefusal)
      return undefined;
    throw error;
  }
}
