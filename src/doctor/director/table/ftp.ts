import { sameAddress, type Address } from "../../../ipvs/address.js";
import {
  PROTOCOL_NAMES,
  TCP,
  type ServerEntry,
  type ServiceKey,
  type ServiceWithServers,
} from "../../../ipvs/model.js";
import type { Known } from "../../check.js";
import {
  isWithServer,
  openCount,
  type ConnectionGroup,
  type Connections,
} from "../../connections.js";
import type { Facts } from "../../facts.js";
import { judgeAll } from "../../firewall/judge.js";
import type { Condition } from "../../firewall/ruleset.js";
import { markingRules, type FirewallMarkKey } from "../marks/marking-rules.js";

/** The port at which clients of FTP log in, and give their commands */
export const FTP_PORT = 21;
/** The first port of passive data connections */
export const FIRST_DATA_PORT = 1024;

/** A service with an address, at which clients perhaps log in for FTP */
export interface FtpService extends ServiceWithServers {
  readonly key: Extract<ServiceKey, { readonly address: Address }>;
}

/** Whether a service is for FTP, by its own port or that of a real server. A service for all ports is not told apart. */
export function isFtp(service: ServiceWithServers): service is FtpService {
  const { key, servers } = service;
  return (
    !("firewallMark" in key) &&
    key.protocol === TCP &&
    key.port !== 0 &&
    (key.port === FTP_PORT || servers.some((one) => one.key.port === FTP_PORT))
  );
}

/**
 * Whether other services perhaps get the data connections of a service for FTP: one by firewall mark with the same machines, whose
 * mark rules set for such ports, or several at ports of their own.
 */
export function hasDataServices(
  service: FtpService,
  { allServices, firewall }: Known<"allServices"> & Pick<Facts, "firewall">,
): boolean {
  const sharing = allServices.filter(
    (other) =>
      other.key !== service.key &&
      other.servers.some((one) => hasMachine(service, one)),
  );
  const atDataPorts = sharing.filter(
    ({ key }) =>
      !("firewallMark" in key) &&
      key.protocol === TCP &&
      key.port >= FIRST_DATA_PORT &&
      sameAddress(key.address, service.key.address),
  );
  return (
    atDataPorts.length > 1 ||
    sharing.some(
      ({ key }) =>
        "firewallMark" in key && mayHaveData(key, service.key, firewall),
    )
  );
}

/** Whether rules perhaps set a mark for data connections to a virtual address. */
function mayHaveData(
  mark: FirewallMarkKey,
  { family, address: destination }: FtpService["key"],
  firewall: Facts["firewall"],
): boolean {
  if (mark.family !== family) return false;
  if (!firewall || firewall.unread.length > 0) return true;
  return markingRules(firewall, mark).some(
    ({ early, conditions }) =>
      early &&
      judgeAll(conditions, { family, protocol: TCP, destination }) !== "no" &&
      conditions.every(includesDataPort),
  );
}

function includesDataPort(condition: Condition): boolean {
  if (condition.about === "all")
    return condition.conditions.every(includesDataPort);
  return (
    condition.about !== "port" ||
    condition.end !== "destination" ||
    condition.ranges.some(([, last]) => last >= FIRST_DATA_PORT)
  );
}

function hasMachine(
  { servers }: ServiceWithServers,
  { key }: ServerEntry,
): boolean {
  return servers.some((own) => sameAddress(own.key.address, key.address));
}

/** The connections of a service for FTP. */
export interface FtpConnections {
  /** Open connections at which clients give commands */
  readonly control: number;
  /** Data connections that got further than the first packet */
  readonly data: number;
}

/** Counts the connections of a service for FTP. */
export function ftpConnections(
  service: FtpService,
  { byServer }: Connections,
  table: readonly ServiceWithServers[],
): FtpConnections {
  const { key, servers } = service;
  let control = 0;
  let data = 0;
  for (const group of [...byServer.values()].flat()) {
    if (group.protocol !== PROTOCOL_NAMES[TCP]) continue;
    if (!sameAddress(group.virtual, key.address)) continue;
    if (!servers.some((one) => sameAddress(one.key.address, group.server)))
      continue;
    if (group.virtualPort === key.port) {
      if (servers.some((one) => isWithServer(group, one)))
        control += openCount(group);
    } else if (!isOfOther(group, table)) data += establishedCount(group);
  }
  return { control, data };
}

/** Whether another service has the port of connections. */
function isOfOther(
  { virtual, virtualPort }: ConnectionGroup,
  table: readonly ServiceWithServers[],
): boolean {
  return table.some(
    ({ key }) =>
      !("firewallMark" in key) &&
      key.protocol === TCP &&
      key.port === virtualPort &&
      sameAddress(key.address, virtual),
  );
}

/** Entries in LISTEN wait for a data connection, and those in SYN_RECV for its answer. */
function establishedCount({ states }: ConnectionGroup): number {
  let count = 0;
  for (const [state, counted] of states)
    if (state !== "LISTEN" && state !== "SYN_RECV" && state !== "NONE")
      count += counted.count;
  return count;
}

/** What the connection table says of data connections. */
export function ftpEvidence(
  service: FtpService,
  connections: Connections | undefined,
  table: readonly ServiceWithServers[],
): string[] {
  if (!connections) return [];
  const { control, data } = ftpConnections(service, connections, table);
  return control > 0 && data === 0
    ? [
        `${control === 1 ? "1 client connection is" : `${control} client connections are`} open at port ${service.key.port}, and the connection table has no data connection`,
      ]
    : [];
}
