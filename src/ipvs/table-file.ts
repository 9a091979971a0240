import { INET, INET6 } from "./address.js";
import {
  BLANK,
  IPV4_COLUMNS,
  IPV6_COLUMNS,
  lineEnd,
  PORT_COLUMNS,
  readAddress,
  readPort,
  startsWord,
} from "./proc-fields.js";
import {
  formatService,
  PROTOCOL_NAMES,
  PROTOCOLS,
  type ServerKey,
  type Protocol,
  type ServiceKey,
} from "./model.js";

/** A real server in /proc/net/ip_vs. */
export interface ListedServer {
  readonly key: ServerKey;
  /**
   * Forwarding method, weight and connections, in columns of 7, 6, 10 and 10 characters with spaces
   * between them
   */
  readonly columns: string;
}

/** The first letters of the forwarding methods in listings: Masq, Route, Tunnel, Local. */
const FORWARDING = Uint8Array.of(0x4d, 0x52, 0x54, 0x4c);
const BRACKET = 0x5b;
/** `  -> ` */
const ARROW_COLUMNS = 5;
/** `TCP  `, `SCTP  ` */
const PROTOCOL_GAP = 2;
/** The gap between a server's port and the following columns, and the minimum width of these */
const COLUMNS_GAP = 6;
const COLUMNS = 36;

/**
 * The real servers of all virtual services, from /proc/net/ip_vs. Reading the file is much faster
 * than one netlink dump per service.
 *
 * The file does not contain everything: no thresholds, no tunnels, and no family of a firewall
 * mark. A service is also missing if one of its lines has an unknown format, such as that of a
 * future kernel.
 *
 * @see ip_vs_info_seq_show() in net/netfilter/ipvs/ip_vs_ctl.c
 */
export class TableFile {
  readonly #bytes: Buffer;
  /** The position of each service's servers */
  readonly #places = new Map<number | string, number>();

  /** @param bytes the whole file */
  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    for (let at = 0; at < bytes.length;) {
      const end = lineEnd(bytes, at);
      const place = bytes[at] === BLANK ? undefined : placeAt(bytes, at);
      if (place !== undefined) this.#places.set(place, end + 1);
      at = end + 1;
    }
  }

  /**
   * The real servers of a virtual service, in the kernel's order: newest first.
   *
   * @returns undefined if the file does not contain the service
   */
  serversOf(service: ServiceKey): readonly ListedServer[] | undefined {
    let at = this.#places.get(placeOf(service));
    if (at === undefined) return undefined;
    const bytes = this.#bytes;
    const servers: ListedServer[] = [];
    while (bytes[at] === BLANK) {
      const end = lineEnd(bytes, at);
      const server = serverAt(bytes, at + ARROW_COLUMNS, end);
      if (!server) return undefined;
      servers.push(server);
      at = end + 1;
    }
    return servers;
  }
}

/**
 * The key of the service in a line.
 *
 * @returns undefined if the line is not a service with an address
 */
function placeAt(bytes: Buffer, line: number): number | string | undefined {
  const protocol = protocolAt(bytes, line);
  if (protocol === undefined) return undefined;
  const at = line + PROTOCOL_NAMES[protocol].length + PROTOCOL_GAP;
  if (bytes[at] !== BRACKET)
    return ipv4Place(
      protocol,
      readPort(bytes, at),
      readPort(bytes, at + 4),
      readPort(bytes, at + IPV4_COLUMNS + 1),
    );
  const end = at + 1 + IPV6_COLUMNS;
  const address = readAddress(bytes, at + 1, end);
  const port = readPort(bytes, end + 2);
  if (!address || port < 0) return undefined;
  return placeOf({ family: INET6, protocol, address, port });
}

function protocolAt(bytes: Buffer, at: number): Protocol | undefined {
  for (const protocol of PROTOCOLS)
    if (startsWord(PROTOCOL_NAMES[protocol], bytes, at)) return protocol;
  return undefined;
}

/** The key of a service; for IPv4 a number, which is faster. */
function placeOf(service: ServiceKey): number | string {
  if ("firewallMark" in service || service.family !== INET)
    return formatService(service);
  const { protocol, address, port } = service;
  const [a = 0, b = 0, c = 0, d = 0] = address;
  return ipv4Place(protocol, (a << 8) | b, (c << 8) | d, port) ?? "";
}

/** @returns undefined if one of the numbers is negative, and therefore malformed */
function ipv4Place(
  protocol: Protocol,
  high: number,
  low: number,
  port: number,
): number | undefined {
  if (high < 0 || low < 0 || port < 0) return undefined;
  return ((protocol * 0x10000 + high) * 0x10000 + low) * 0x10000 + port;
}

/** Decodes a line of a real server. @returns undefined if it is malformed */
function serverAt(
  bytes: Buffer,
  at: number,
  endOfLine: number,
): ListedServer | undefined {
  const bracket = bytes[at] === BRACKET ? 1 : 0;
  const start = at + bracket;
  const end = start + (bracket ? IPV6_COLUMNS : IPV4_COLUMNS);
  const portAt = end + bracket + 1;
  const columnsAt = portAt + PORT_COLUMNS + COLUMNS_GAP;
  const address = readAddress(bytes, start, end);
  const port = readPort(bytes, portAt);
  if (!address || port < 0 || endOfLine - columnsAt < COLUMNS) return undefined;
  if (!FORWARDING.includes(bytes[columnsAt] ?? 0)) return undefined;
  const columns = bytes.toString("latin1", columnsAt, endOfLine);
  if (columns.includes("-")) return undefined; // the file has signed counts, listings have unsigned ones
  return { key: { address, port }, columns };
}
