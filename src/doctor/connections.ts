import { formatAddress, sameAddress, type Address } from "../ipvs/address.js";
import {
  PROTOCOL_NAMES,
  type DestinationEntry,
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
  server: Pick<DestinationEntry, "key">,
): ConnectionGroup[] {
  const groups = byServer.get(formatAddress(server.key.address)) ?? [];
  return groups.filter(
    (group) =>
      (server.key.port === 0 || group.serverPort === server.key.port) &&
      ("firewallMark" in key ||
        (group.protocol === PROTOCOL_NAMES[key.protocol] &&
          (key.port === 0 || group.virtualPort === key.port) &&
          sameAddress(group.virtual, key.address))),
  );
}
