import { formatAddress, sameAddress, type Address } from "../ipvs/address.js";
import { CONNECTION_STATES } from "../ipvs/connection-states.js";
import {
  formatEndpoint,
  PROTOCOL_NAMES,
  type ServerEntry,
  type ServiceWithServers,
} from "../ipvs/model.js";

/** Connections in one state. */
export interface StateCount {
  readonly count: number;
  /** Seconds until the entry expires that had the last packet */
  readonly longestSeconds: number;
  /** Seconds until the entry expires that has been idle for the longest time */
  readonly shortestSeconds: number;
}

/** More clients of a group are not kept. */
export const MOST_CLIENTS = 4;

/** The connections of one virtual address and port with one real server, without persistence templates. */
export interface ConnectionGroup {
  /** `TCP` */
  readonly protocol: string;
  readonly virtual: Address;
  readonly virtualPort: number;
  readonly server: Address;
  readonly serverPort: number;
  /** By the kernel's names of the states: `ESTABLISHED`, `SYN_RECV` … */
  readonly states: ReadonlyMap<string, StateCount>;
  /** How many are in SYN_RECV, by the seconds until they expire */
  readonly opening: ReadonlyMap<number, number>;
  /** A few of the clients */
  readonly clients: readonly Address[];
  /** A few of the clients in SYN_RECV */
  readonly openingClients: readonly Address[];
}

/** The connection table, summed up. */
export interface Connections {
  /** All entries, templates included */
  readonly entries: number;
  /** By the real server's address as text */
  readonly byServer: ReadonlyMap<string, readonly ConnectionGroup[]>;
  /** How many persistence templates there are, by the real server: `192.0.2.10:80` */
  readonly templates: ReadonlyMap<string, number>;
}

/** The connections of a real server in a service. For a firewall mark: those that no other service can have. */
export function groupsOf(
  { byServer }: Connections,
  { key }: Pick<ServiceWithServers, "key">,
  server: Pick<ServerEntry, "key">,
  table: readonly Pick<ServiceWithServers, "key">[] = [],
): ConnectionGroup[] {
  const groups = byServer.get(formatAddress(server.key.address)) ?? [];
  return groups.filter(
    (group) =>
      isWithServer(group, server) &&
      ("firewallMark" in key
        ? !table.some((other) => isOfService(group, other))
        : isOfService(group, { key })),
  );
}

/** How many connections of a group go on: those that are open, not those that begin or end. */
export function openCount({ states }: ConnectionGroup): number {
  let count = 0;
  for (const [state, counted] of states)
    if (CONNECTION_STATES.get(state) === "open") count += counted.count;
  return count;
}

/** Whether connections belong to a service with an address. */
function isOfService(
  group: ConnectionGroup,
  { key }: Pick<ServiceWithServers, "key">,
): boolean {
  return (
    !("firewallMark" in key) &&
    group.protocol === PROTOCOL_NAMES[key.protocol] &&
    (key.port === 0 || group.virtualPort === key.port) &&
    sameAddress(group.virtual, key.address)
  );
}

/** Connections of a service with a server that it does not have any more. */
export interface Orphans {
  readonly service: ServiceWithServers;
  readonly group: ConnectionGroup;
  /** How many are open */
  readonly count: number;
}

/** The open connections of services with servers that they do not have. Services by firewall mark have no address to find them by. */
export function orphanedConnections(
  { byServer }: Connections,
  table: readonly ServiceWithServers[],
): Orphans[] {
  const serviceOf = serviceFinder(table);
  const orphans: Orphans[] = [];
  for (const groups of byServer.values())
    for (const group of groups) {
      const service = serviceOf(group);
      if (
        !service ||
        service.servers.some((server) => isWithServer(group, server))
      )
        continue;
      const count = openCount(group);
      if (count > 0) orphans.push({ service, group, count });
    }
  return orphans;
}

/** Finds the service of connections by their protocol, virtual address and port. Services by firewall mark have none. */
export function serviceFinder(
  table: readonly ServiceWithServers[],
): (group: ConnectionGroup) => ServiceWithServers | undefined {
  const services = new Map(
    table.flatMap((service) => {
      const { key } = service;
      if ("firewallMark" in key) return [];
      const protocol = PROTOCOL_NAMES[key.protocol];
      const place = `${protocol} ${formatEndpoint(key.address, key.port)}`;
      return [[place, service] as const];
    }),
  );
  return ({ protocol, virtual, virtualPort }) => {
    const at = (port: number) =>
      services.get(`${protocol} ${formatEndpoint(virtual, port)}`);
    return at(virtualPort) ?? at(0);
  };
}

/** Whether connections are with a real server. */
export function isWithServer(
  group: ConnectionGroup,
  { key }: Pick<ServerEntry, "key">,
): boolean {
  return (
    sameAddress(group.server, key.address) &&
    (key.port === 0 || group.serverPort === key.port)
  );
}
