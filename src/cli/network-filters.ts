import { selects, type ServiceSelector } from "../grammar/selector.js";
import { parseWhole } from "../grammar/numbers.js";
import { networkOf, parseNetwork, type Network } from "../ipvs/ip-network.js";
import {
  PROTOCOLS,
  TRANSPORTS,
  type Protocol,
  type ServerKey,
  type ServiceKey,
} from "../ipvs/model.js";
import { isWithin } from "../rtnl/address-owners.js";
import type { Names } from "../system/names.js";
import { UsageError } from "./errors.js";
import { escapeControls } from "./escape.js";
import { readServer, readService } from "./selectors.js";

/** Selects the services whose addresses are in a network. */
export interface ServiceNetwork {
  /** Undefined: any protocol */
  readonly protocol: Protocol | undefined;
  readonly network: Network;
  /** Undefined: any port */
  readonly port: number | undefined;
}

/** Selects services: one, or those of a network. */
export type ServiceFilter = ServiceSelector | ServiceNetwork;

/** Selects real servers. */
export interface ServerFilter {
  readonly network: Network;
  /** Undefined: any port */
  readonly port: number | undefined;
}

const NETWORK =
  /^(?:(tcp|udp|sctp)\/)?\[?([0-9a-f:.]+\/[0-9]{1,3})\]?(?::([0-9]+))?$/i;

/**
 * Parses a service or a network: also `192.0.2.0/24`, `tcp/192.0.2.0/24:80` and `udp/[2001:db8::/32]:53`.
 *
 * @throws {SelectorFault}
 */
export async function readServiceFilter(
  text: string,
  names: Names,
): Promise<ServiceFilter> {
  const [, word, range = "", portText] = NETWORK.exec(text) ?? [];
  const network = parseNetwork(range);
  const port =
    portText === undefined ? undefined : parseWhole(portText, 0, 0xffff);
  const valid = network && (portText === undefined || port !== undefined);
  if (!valid) return readService(text, names);
  const protocol = PROTOCOLS.find(
    (one) => TRANSPORTS[one] === word?.toLowerCase(),
  );
  return { protocol, network, port };
}

/** Whether a filter selects a service. */
export function selectsFiltered(
  filter: ServiceFilter,
  key: ServiceKey,
): boolean {
  if (!("network" in filter)) return selects(filter, key);
  if ("firewallMark" in key) return false;
  const { protocol, port, network } = filter;
  return (
    (protocol ?? key.protocol) === key.protocol &&
    (port ?? key.port) === key.port &&
    isWithin(key.address, network.address, network.prefixBits)
  );
}

/**
 * Parses a real server or a network.
 *
 * @param subcommand for the error
 * @throws {UsageError} @throws {SelectorFault}
 */
export async function readServerFilter(
  text: string,
  names: Names,
  subcommand: string,
): Promise<ServerFilter> {
  if (!text.includes("/")) {
    const { address, port } = await readServer(text, undefined, names);
    return { network: networkOf(address), port };
  }
  const network = parseNetwork(text);
  if (network) return { network, port: undefined };
  throw new UsageError(
    `--server ${escapeControls(text)}: expected a real server such as 10.0.0.7:80 or a network such as 10.0.0.0/8`,
    subcommand,
  );
}

/** Whether a filter selects a real server. */
export function selectsFilteredServer(
  { network, port }: ServerFilter,
  key: ServerKey,
): boolean {
  return (
    (port ?? key.port) === key.port &&
    isWithin(key.address, network.address, network.prefixBits)
  );
}
