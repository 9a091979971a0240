import type { Address } from "./address.js";
import { ConnectionReader } from "./connection-reader.js";
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
export function protocolOf({
  protocol,
}: Pick<Connection, "protocol">): Protocol | undefined {
  return PROTOCOLS.get(protocol);
}

/**
 * Reads a line of /proc/net/ip_vs_conn.
 *
 * @returns undefined for the title line and whatever else is no connection
 */
export function parseConnection(line: string): Connection | undefined {
  const reader = new ConnectionReader();
  reader.load(Buffer.from(line, "latin1"));
  return reader.next() ? reader.connection() : undefined;
}
