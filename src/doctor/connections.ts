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
  /** After how long without a packet they are forgotten: of the one that was heard of last */
  readonly longestSeconds: number;
}

/** The connections of one virtual address and port with one real server. Templates are not among them. */
export interface ConnectionGroup {
  /** `TCP` */
  readonly protocol: string;
  readonly virtual: Address;
  readonly virtualPort: number;
  readonly server: Address;
  readonly serverPort: number;
  /** By the kernel's words for the states: `ESTABLISHED`, `SYN_RECV` … */
  readonly states: ReadonlyMap<string, StateCount>;
  /** Those in SYN_RECV, by the seconds after which they are forgotten: how many */
  readonly opening: ReadonlyMap<number, number>;
}

/** The table of connections, summed up. */
export interface Connections {
  /** All entries, templates included */
  readonly entries: number;
  /** By the real server's address as text */
  readonly byServer: ReadonlyMap<string, readonly ConnectionGroup[]>;
}

/** The connections of a real server in a service. */
export function groupsOf(
  { byServer }: Connections,
  { key }: Pick<ServiceWithServers, "key">,
  server: Pick<ServerEntry, "key">,
): ConnectionGroup[] {
  const groups = byServer.get(formatAddress(server.key.address)) ?? [];
  return groups.filter(
    (group) =>
      isWith(group, server) &&
      ("firewallMark" in key ||
        (group.protocol === PROTOCOL_NAMES[key.protocol] &&
          (key.port === 0 || group.virtualPort === key.port) &&
          sameAddress(group.virtual, key.address))),
  );
}

/** Connections of a service with what is none of its real servers. */
export interface Orphans {
  readonly service: ServiceWithServers;
  readonly group: ConnectionGroup;
  /** Those that are open */
  readonly count: number;
}

/** The open connections of services with servers that they do not have. Firewall marks cannot be told by addresses. */
export function orphanedConnections(
  { byServer }: Connections,
  table: readonly ServiceWithServers[],
): Orphans[] {
  const services = new Map(
    table.flatMap((service) => {
      const { key } = service;
      if ("firewallMark" in key) return [];
      const protocol = PROTOCOL_NAMES[key.protocol];
      const place = `${protocol} ${formatEndpoint(key.address, key.port)}`;
      return [[place, service] as const];
    }),
  );
  const orphans: Orphans[] = [];
  for (const groups of byServer.values())
    for (const group of groups) {
      const at = (port: number) =>
        `${group.protocol} ${formatEndpoint(group.virtual, port)}`;
      const service =
        services.get(at(group.virtualPort)) ?? services.get(at(0));
      if (!service || service.servers.some((server) => isWith(group, server)))
        continue;
      let count = 0;
      for (const [state, counted] of group.states)
        if (CONNECTION_STATES.get(state) === "open") count += counted.count;
      if (count > 0) orphans.push({ service, group, count });
    }
  return orphans;
}

function isWith(
  group: ConnectionGroup,
  { key }: Pick<ServerEntry, "key">,
): boolean {
  return (
    sameAddress(group.server, key.address) &&
    (key.port === 0 || group.serverPort === key.port)
  );
}
