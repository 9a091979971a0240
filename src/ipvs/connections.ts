import type { Address } from "./address.js";
import { PROTOCOL_NAMES, PROTOCOLS, type Protocol } from "./model.js";

/** An entry of the connection table: a connection, or a persistence template. */
export interface Connection {
  /** The transport protocol's name; `IP` for templates of firewall marks */
  readonly protocol: string;
  readonly client: Address;
  readonly clientPort: number;
  /** The address of the virtual service; for templates of firewall marks, the mark */
  readonly virtual: Address;
  readonly virtualPort: number;
  readonly server: Address;
  readonly serverPort: number;
  /** The state, such as `ESTABLISHED`, `TIME_WAIT`, `UDP` or `ASSURED` */
  readonly state: string;
  readonly expiresSeconds: number;
  /**
   * The persistence engine, and the data by which it recognizes the client: for sip, the Call-ID
   */
  readonly persistenceEngine?: string;
  readonly persistenceData?: string;
}

const PROTOCOL_OF: ReadonlyMap<string, Protocol> = new Map(
  PROTOCOLS.map((protocol) => [PROTOCOL_NAMES[protocol], protocol]),
);

/**
 * The protocol of a connection; undefined for templates of firewall marks. Needed to look up the
 * names of ports.
 */
export function protocolOf({
  protocol,
}: Pick<Connection, "protocol">): Protocol | undefined {
  return PROTOCOL_OF.get(protocol);
}
