import { formatAddress, sameAddress, type Address } from "../ipvs/address.js";
import {
  formatEndpoint,
  PERSISTENT,
  PROTOCOL_NAMES,
  TCP,
  type ServiceKey,
  type ServiceWithServers,
} from "../ipvs/model.js";

/** A service with an address */
export interface AddressService extends ServiceWithServers {
  readonly key: Extract<ServiceKey, { readonly address: Address }>;
}

/** FTP's control and data connections: the kernel keeps them together by itself. */
const FTP_PORTS: ReadonlySet<number> = new Set([20, 21]);

/**
 * Services of one virtual address with the same real servers, each persistent by itself. A client can have a different
 * server at each of them. Services whose clients count by different netmasks, or by a persistence engine, are left out.
 */
export function persistenceGroups(
  table: readonly ServiceWithServers[],
): AddressService[][] {
  const groups = new Map<string, AddressService[]>();
  for (const service of table) {
    if (!isSeparate(service)) continue;
    const { key, settings, servers } = service;
    const hosts = new Set(
      servers.map((server) => formatAddress(server.key.address)),
    );
    if (hosts.size < 2) continue;
    const { netmask } = settings;
    const name = [
      formatAddress(key.address),
      typeof netmask === "number" ? netmask : formatAddress(netmask),
      ...[...hosts].sort(),
    ].join(" ");
    groups.set(name, [...(groups.get(name) ?? []), service]);
  }
  return [...groups.values()].filter(({ length }) => length > 1);
}

function isSeparate(service: ServiceWithServers): service is AddressService {
  const { key, settings } = service;
  if ("firewallMark" in key) return false;
  if (key.protocol === TCP && FTP_PORTS.has(key.port)) return false;
  return (
    (settings.flags & PERSISTENT) !== 0 &&
    settings.persistenceEngine === undefined
  );
}

/** The name of a persistence template's service: `TCP 192.0.2.1:80`. */
export function templatePlace(
  protocol: string,
  address: Address,
  port: number,
): string {
  return `${protocol} ${formatEndpoint(address, port)}`;
}

/** The name of the templates of a service. */
export function placeOfService({ key }: AddressService): string {
  return templatePlace(PROTOCOL_NAMES[key.protocol], key.address, key.port);
}

/** Whether a real server of the service takes new connections. A client that a drained one keeps is no fault. */
export function isTaking(
  { servers }: ServiceWithServers,
  address: Address,
): boolean {
  return servers.some(
    ({ key, settings }) =>
      settings.weight > 0 && sameAddress(key.address, address),
  );
}

/** Where persistence binds a client in a service. */
export interface Binding {
  readonly service: AddressService;
  readonly server: Address;
}

/** The clients that persistence binds in several services of a group. */
export interface GroupClients {
  readonly services: readonly AddressService[];
  /** How many clients have templates of several of the services */
  readonly several: number;
  /** How many of them have different servers */
  readonly split: number;
  /** One of these, as the templates name it, with the first two different servers */
  readonly example:
    | { readonly client: Address; readonly bindings: readonly Binding[] }
    | undefined;
}
