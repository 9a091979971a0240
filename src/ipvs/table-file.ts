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

/** A real server as /proc/net/ip_vs has it. */
export interface ListedServer {
  readonly key: ServerKey;
  /** Forwarding method, weight and connections, in columns of 7, 6, 10 and 10 characters with blanks between them */
  readonly columns: string;
}

/** What the names of the forwarding methods begin with that every listing has: Masq, Route, Tunnel, Local. */
const FORWARDING = Uint8Array.of(0x4d, 0x52, 0x54, 0x4c);
const BRACKET = 0x5b;
/** `  -> ` */
const ARROW_COLUMNS = 5;
/** `TCP  `, `SCTP  ` */
const PROTOCOL_GAP = 2;
/** Between a server's port and the columns behind it, and how wide these are at least */
const COLUMNS_GAP = 6;
const COLUMNS = 36;

/**
 * The real servers of all virtual services, as /proc/net/ip_vs shows them in a few reads: one dump
 * for each service takes the kernel far longer.
 *
 * It does not tell all: no thresholds, no tunnels, and of a firewall mark not the family. Nor does
 * it tell of a service of which it cannot make out a line, as of a kernel to come.
 *
 * @see ip_vs_info_seq_show() in net/netfilter/ipvs/ip_vs_ctl.c
 */
export class TableFile {
  readonly #bytes: Buffer;
  /** Where the servers of a service begin */
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
   * The real servers of a virtual service, in the kernel's order: the newest first.
   *
   * @returns undefined if the file does not tell
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

/** By what the service is looked up whose line this is. @returns undefined if it is no service's with an address */
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

/** What a service is looked up by: of IPv4 a number, which costs least. */
function placeOf(service: ServiceKey): number | string {
  if ("firewallMark" in service || service.family !== INET)
    return formatService(service);
  const { protocol, address, port } = service;
  const [a = 0, b = 0, c = 0, d = 0] = address;
  return ipv4Place(protocol, (a << 8) | b, (c << 8) | d, port) ?? "";
}

/** @returns undefined if one of them is negative, and so was none */
function ipv4Place(
  protocol: Protocol,
  high: number,
  low: number,
  port: number,
): number | undefined {
  if (high < 0 || low < 0 || port < 0) return undefined;
  return ((protocol * 0x10000 + high) * 0x10000 + low) * 0x10000 + port;
}

/** What a line tells of a real server. @returns undefined if it cannot be made out */
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
  if (columns.includes("-")) return undefined; // the file has counts with signs, every listing has them without
  return { key: { address, port }, columns };
}
