import {
  MASQUERADING,
  ONE_PACKET,
  UDP,
  type ServerEntry,
  type ServiceWithServers,
} from "../../../ipvs/model.js";
import { serverName, serviceName } from "../../commands.js";
import type { SeenConnection } from "./connections.js";
import type { ClientSightings, TraceFacts } from "./trace-step.js";

/** One datagram shows no more than the scheduler's choice. */
const FEWEST_DATAGRAMS = 2n;

/**
 * Why all datagrams of a client went to one server: they are one entry of a UDP service, whose other servers got nothing
 * meanwhile.
 *
 * @param connections those of the client with the server
 * @returns undefined if it is not so
 */
export function oneEntryText(
  connections: readonly SeenConnection[],
  service: ServiceWithServers,
  server: ServerEntry,
  { timeouts }: TraceFacts,
  { after }: ClientSightings,
): string | undefined {
  const { key, settings } = service;
  if ("firewallMark" in key || key.protocol !== UDP) return undefined;
  if (settings.flags & ONE_PACKET) return undefined;
  const used = connections.filter(({ use }) => use !== "idle");
  const ports = new Set(used.map(({ connection }) => connection.clientPort));
  const [port] = ports;
  if (ports.size !== 1 || port === undefined) return undefined;
  const later = after.find((one) => serviceName(one) === serviceName(service));
  if (!later) return undefined;
  const came = (one: ServerEntry) => {
    const name = serverName(service, one);
    const now = later.servers.find(
      (other) => serverName(later, other) === name,
    );
    return now ? now.stats.inPackets - one.stats.inPackets : 0n;
  };
  const others = service.servers.filter(
    (one) => one !== server && one.settings.weight > 0,
  );
  if (others.length === 0 || came(server) < FEWEST_DATAGRAMS) return undefined;
  if (others.some((one) => came(one) !== 0n)) return undefined;
  const expires =
    timeouts && timeouts.udpSeconds > 0
      ? `; it expires ${timeouts.udpSeconds} s after its last datagram`
      : "";
  const remedy = service.servers.some(
    (one) => one.settings.forwarding === MASQUERADING,
  )
    ? ""
    : ". One-packet scheduling (-o) schedules each datagram by itself, which is wrong if servers must remember earlier ones";
  return `all datagrams from client port ${port} are one entry, and go to this server${expires}. The service's other servers got nothing meanwhile${remedy}`;
}
