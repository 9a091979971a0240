import type { Address } from "../../ipvs/address.js";
import { SCTP, TCP, UDP } from "../../ipvs/model.js";
import type {
  CapturedPacket,
  Endpoints,
  Fragment,
  IcmpError,
  IcmpErrorName,
  OuterPacket,
  TcpSegment,
} from "./packet.js";

export const IPV4_IN_IP = 4;
export const IPV6_IN_IP = 41;
export const GRE = 47;
const ICMP = 1;
const ICMPV6 = 58;

const PAYLOAD_IPV4 = 0x0800;
const PAYLOAD_IPV6 = 0x86dd;

/** What decoding a packet needs to know. */
export interface DecodeOptions {
  /** UDP ports of GUE tunnels */
  readonly guePorts: ReadonlySet<number>;
}

/**
 * Decodes an IP packet, of which perhaps only the beginning was captured. A packet in a tunnel is the result instead of
 * the packet of the tunnel.
 *
 * @param bytes from the IP header on
 * @param wholeBytes how long the packet was; segments that the kernel has joined may be too long for their header (BIG TCP)
 * @returns undefined if it is malformed, or too little of it was captured
 */
export function decodePacket(
  bytes: Uint8Array,
  options: DecodeOptions,
  wholeBytes = 0,
): CapturedPacket | undefined {
  const header = decodeHeader(bytes, wholeBytes);
  return header && decodeBody(header, options, true);
}

/** What follows an IP header, and what the header says. */
interface Header {
  readonly source: Address;
  readonly target: Address;
  readonly protocol: number;
  readonly bytes: number;
  readonly headerBytes: number;
  readonly fragment: Fragment | undefined;
  readonly body: View;
}

/** Bytes with checked access: what lies beyond the end is undefined. */
class View {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get length(): number {
    return this.#bytes.length;
  }

  byte(at: number): number | undefined {
    return this.#bytes[at];
  }

  short(at: number): number | undefined {
    const [high, low] = [this.#bytes[at], this.#bytes[at + 1]];
    return high === undefined || low === undefined
      ? undefined
      : (high << 8) | low;
  }

  word(at: number): number | undefined {
    const [high, low] = [this.short(at), this.short(at + 2)];
    return high === undefined || low === undefined
      ? undefined
      : ((high << 16) | low) >>> 0;
  }

  address(at: number, length: 4 | 16): Address | undefined {
    return at + length <= this.length
      ? this.#bytes.subarray(at, at + length)
      : undefined;
  }

  from(at: number): View {
    return new View(this.#bytes.subarray(at));
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }
}

function decodeHeader(bytes: Uint8Array, wholeBytes = 0): Header | undefined {
  const view = new View(bytes);
  const version = (view.byte(0) ?? 0) >> 4;
  if (version === 4) return decodeIpv4(view, wholeBytes);
  return version === 6 ? decodeIpv6(view, wholeBytes) : undefined;
}

function decodeIpv4(view: View, wholeBytes: number): Header | undefined {
  const headerBytes = ((view.byte(0) ?? 0) & 15) * 4;
  const bytes = view.short(2);
  const id = view.short(4);
  const place = view.short(6);
  const protocol = view.byte(9);
  const source = view.address(12, 4);
  const target = view.address(16, 4);
  if (headerBytes < 20 || headerBytes > view.length) return undefined;
  if (bytes === undefined || id === undefined || place === undefined)
    return undefined;
  if (protocol === undefined || !source || !target) return undefined;
  // Segments that the kernel has joined may have more than 64 KiB; then the length is 0.
  if (bytes !== 0 && bytes < headerBytes) return undefined;
  const offset = place & 0x1fff;
  const more = (place & 0x2000) !== 0;
  return {
    source,
    target,
    protocol,
    bytes: bytes === 0 ? wholeBytes : bytes,
    headerBytes,
    fragment:
      offset > 0 || more
        ? { id, isFirst: offset === 0, isLast: !more }
        : undefined,
    body: view.from(headerBytes),
  };
}

/** Hop-by-hop options, routing, destination options, fragment, authentication */
const HOP_BY_HOP = 0;
const ROUTING = 43;
const FRAGMENT = 44;
const AUTHENTICATION = 51;
const DESTINATION = 60;
/** A packet with more extension headers is not decoded. */
const MOST_EXTENSIONS = 8;

function decodeIpv6(view: View, wholeBytes: number): Header | undefined {
  const payload = view.short(4);
  const next = view.byte(6);
  const source = view.address(8, 16);
  const target = view.address(24, 16);
  if (payload === undefined || next === undefined || !source || !target)
    return undefined;
  let protocol = next;
  let at = 40;
  let fragment: Fragment | undefined;
  for (let count = 0; ; count++) {
    const isOptions =
      protocol === HOP_BY_HOP ||
      protocol === ROUTING ||
      protocol === DESTINATION ||
      protocol === AUTHENTICATION;
    if (!isOptions && protocol !== FRAGMENT) break;
    if (count === MOST_EXTENSIONS) return undefined;
    const following = view.byte(at);
    const length = view.byte(at + 1);
    if (following === undefined || length === undefined) return undefined;
    if (protocol === FRAGMENT) {
      const place = view.short(at + 2);
      const id = view.word(at + 4);
      if (place === undefined || id === undefined) return undefined;
      fragment = {
        id,
        isFirst: place >> 3 === 0,
        isLast: (place & 1) === 0,
      };
      at += 8;
    } else
      at += protocol === AUTHENTICATION ? (length + 2) * 4 : (length + 1) * 8;
    protocol = following;
    // Later fragments continue somewhere in the payload.
    if (fragment && !fragment.isFirst) break;
  }
  if (at > view.length) return undefined;
  return {
    source,
    target,
    protocol,
    bytes: payload === 0 ? wholeBytes : payload + 40,
    headerBytes: at,
    fragment,
    body: view.from(at),
  };
}

function decodeBody(
  header: Header,
  options: DecodeOptions,
  unpacks: boolean,
): CapturedPacket | undefined {
  const { source, target, protocol, bytes, fragment, body } = header;
  const plain = {
    source,
    target,
    protocol,
    bytes,
    fragment,
    sourcePort: 0,
    targetPort: 0,
  };
  if (fragment && !fragment.isFirst) return plain;
  const at = unpacks ? innerAt(header, options) : undefined;
  if (at !== undefined) {
    const inner = decodeHeader(body.from(at).bytes);
    const found = inner && decodeBody(inner, options, false);
    return found && { ...found, outer: { protocol, source, target } };
  }
  if (protocol === ICMP || protocol === ICMPV6) {
    const error = decodeError(header, options);
    return error === "malformed" ? undefined : { ...plain, error };
  }
  const ports = decodePorts(protocol, body);
  if (ports === "malformed") return undefined;
  if (protocol !== TCP) return { ...plain, ...ports };
  const tcp = decodeTcp(header);
  return tcp && { ...plain, ...ports, tcp };
}

/** Where the packet inside of a tunnel's packet begins; undefined if it is no such packet. */
function innerAt(
  { protocol, body }: Header,
  { guePorts }: DecodeOptions,
): number | undefined {
  if (protocol === IPV4_IN_IP || protocol === IPV6_IN_IP) return 0;
  if (protocol === GRE) {
    const flags = body.short(0) ?? 0;
    const inside = body.short(2);
    const version = flags & 7;
    if (version !== 0) return undefined;
    if (inside !== PAYLOAD_IPV4 && inside !== PAYLOAD_IPV6) return undefined;
    // Checksum, key and sequence number are optional, 4 bytes each.
    const optional = [0x8000, 0x2000, 0x1000].filter((bit) => flags & bit);
    return 4 + 4 * optional.length;
  }
  if (protocol === UDP && guePorts.has(body.short(2) ?? 0)) {
    const first = body.byte(8) ?? 0xff;
    const inside = body.byte(9);
    const isData = first >> 5 === 0; // version 0, no control message
    if (!isData || (inside !== IPV4_IN_IP && inside !== IPV6_IN_IP))
      return undefined;
    return 12 + (first & 31) * 4;
  }
  return undefined;
}

function decodePorts(
  protocol: number,
  body: View,
): Pick<Endpoints, "sourcePort" | "targetPort"> | "malformed" {
  if (protocol !== TCP && protocol !== UDP && protocol !== SCTP)
    return { sourcePort: 0, targetPort: 0 };
  const sourcePort = body.short(0);
  const targetPort = body.short(2);
  if (sourcePort === undefined || targetPort === undefined) return "malformed";
  return { sourcePort, targetPort };
}

function decodeTcp({
  bytes,
  headerBytes,
  body,
}: Header): TcpSegment | undefined {
  const sequence = body.word(4);
  const acknowledged = body.word(8);
  const offset = body.byte(12);
  const flags = body.byte(13);
  if (sequence === undefined || acknowledged === undefined) return undefined;
  if (offset === undefined || flags === undefined) return undefined;
  const tcpBytes = (offset >> 4) * 4;
  if (tcpBytes < 20) return undefined;
  const payloadBytes = bytes === 0 ? 0 : bytes - headerBytes - tcpBytes;
  if (payloadBytes < 0) return undefined;
  return {
    flags,
    sequence,
    acknowledged,
    payloadBytes,
    maximumSegment: flags & 2 ? maximumSegmentOf(body, tcpBytes) : undefined,
  };
}

/** The option MSS. */
function maximumSegmentOf(body: View, end: number): number | undefined {
  let at = 20;
  while (at < end) {
    const kind = body.byte(at);
    if (kind === undefined || kind === 0) return undefined;
    if (kind === 1) {
      at++;
      continue;
    }
    const length = body.byte(at + 1) ?? 0;
    if (length < 2) return undefined;
    if (kind === 2 && length === 4) return body.short(at + 2);
    at += length;
  }
  return undefined;
}

const UNREACHABLE: ReadonlyMap<number, IcmpErrorName> = new Map([
  [0, "no route to the network"],
  [1, "host unreachable"],
  [2, "protocol unreachable"],
  [3, "port unreachable"],
  [4, "too big"],
  [6, "no route to the network"],
  [7, "host unreachable"],
  [9, "prohibited"],
  [10, "prohibited"],
  [13, "prohibited"],
]);

const UNREACHABLE6: ReadonlyMap<number, IcmpErrorName> = new Map([
  [0, "no route to the network"],
  [1, "prohibited"],
  [3, "host unreachable"],
  [4, "port unreachable"],
  [5, "prohibited"],
  [6, "prohibited"],
]);

/** The name of an error; undefined for other messages. @see RFC 792, RFC 4443 */
function errorName(
  protocol: number,
  type: number,
  code: number,
): IcmpErrorName | undefined {
  if (protocol === ICMP) {
    if (type === 3) return UNREACHABLE.get(code) ?? "unreachable";
    if (type === 11) return code === 0 ? "TTL exceeded" : "fragments missing";
    return type === 12 ? "bad header" : undefined;
  }
  if (type === 1) return UNREACHABLE6.get(code) ?? "unreachable";
  if (type === 2) return "too big";
  if (type === 3) return code === 0 ? "TTL exceeded" : "fragments missing";
  return type === 4 ? "bad header" : undefined;
}

/** @returns undefined for messages that are no errors */
function decodeError(
  { protocol, body }: Header,
  options: DecodeOptions,
): IcmpError | undefined | "malformed" {
  const type = body.byte(0);
  const code = body.byte(1);
  if (type === undefined || code === undefined) return "malformed";
  const name = errorName(protocol, type, code);
  if (name === undefined) return undefined;
  const mtu = protocol === ICMP ? body.short(6) : body.word(4);
  return {
    name,
    mtu: name === "too big" && mtu !== 0 ? mtu : undefined,
    about: decodeQuoted(body.from(8), options),
  };
}

/** The packet that an error quotes: its header, and at least 8 bytes of what follows. */
function decodeQuoted(view: View, options: DecodeOptions): IcmpError["about"] {
  const header = decodeHeader(view.bytes);
  if (!header) return undefined;
  const { source, target, protocol, fragment, body } = header;
  const outer: OuterPacket = { protocol, source, target };
  const isLater = fragment !== undefined && !fragment.isFirst;
  const at = isLater ? undefined : innerAt(header, options);
  const inner =
    at === undefined ? undefined : decodeHeader(body.from(at).bytes);
  const found = inner ?? header;
  const ports =
    at !== undefined && !inner
      ? "malformed"
      : isLater
        ? "malformed"
        : decodePorts(found.protocol, found.body);
  return {
    source: found.source,
    target: found.target,
    protocol: found.protocol,
    ...(ports === "malformed" ? { sourcePort: 0, targetPort: 0 } : ports),
    outer: inner || at !== undefined ? outer : undefined,
  };
}
