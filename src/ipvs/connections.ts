import { parseIpv6, type Address } from "./address.js";
import { SCTP, TCP, UDP, type Protocol } from "./model.js";

/** A connection that IPVS forwards, or a template by which persistence binds a client to a server. */
export interface Connection {
  /** The name of the transport protocol; `IP` for the templates of a firewall mark */
  readonly protocol: string;
  readonly client: Address;
  readonly clientPort: number;
  /** The virtual service's address; for templates of a firewall mark, the mark */
  readonly virtual: Address;
  readonly virtualPort: number;
  readonly server: Address;
  readonly serverPort: number;
  /** `ESTABLISHED`, `TIME_WAIT`, `UDP`, `ASSURED` … */
  readonly state: string;
  readonly expiresSeconds: number;
  /** The persistence engine that bound the client, and what it knows it by: for sip, the Call-ID */
  readonly persistenceEngine?: string;
  readonly persistenceData?: string;
}

const PROTOCOLS: ReadonlyMap<string, Protocol> = new Map([
  ["TCP", TCP],
  ["UDP", UDP],
  ["SCTP", SCTP],
]);

/** The protocol by which a connection's ports have names. */
export function protocolOf({ protocol }: Connection): Protocol | undefined {
  return PROTOCOLS.get(protocol);
}

/**
 * Reads a line of /proc/net/ip_vs_conn.
 *
 * @returns undefined for the title line and whatever else is no connection
 * @see ip_vs_conn_seq_show() in net/netfilter/ipvs/ip_vs_conn.c
 */
export function parseConnection(line: string): Connection | undefined {
  const [protocol, from, fromPort, to, toPort, server, serverPort, ...rest] =
    line.split(" ").filter((word) => word !== "");
  const [state, expires, persistenceEngine, ...data] = rest;
  if (!protocol || !state || !/^[0-9]+$/.test(expires ?? "")) return undefined;
  const [client, virtual, real] = [from, to, server].map(hexAddress);
  const ports = [fromPort, toPort, serverPort].map(hexPort);
  if (!client || !virtual || !real || ports.some(Number.isNaN))
    return undefined;
  const [clientPort = 0, virtualPort = 0, realPort = 0] = ports;
  return {
    protocol,
    client,
    clientPort,
    virtual,
    virtualPort,
    server: real,
    serverPort: realPort,
    state,
    expiresSeconds: Number(expires),
    ...(persistenceEngine !== undefined && {
      persistenceEngine,
      persistenceData: data.join(" "),
    }),
  };
}

/** `0A090001`, or IPv6 with all its groups. */
function hexAddress(text = ""): Address | undefined {
  if (!/^[0-9A-Fa-f]{8}$/.test(text)) return parseIpv6(text);
  const address = new Uint8Array(4);
  new DataView(address.buffer).setUint32(0, Number.parseInt(text, 16));
  return address;
}

function hexPort(text = ""): number {
  return /^[0-9A-Fa-f]{4}$/.test(text) ? Number.parseInt(text, 16) : Number.NaN;
}
