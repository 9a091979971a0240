import type { Address } from "./address.js";
import { PROTOCOL_NAMES, PROTOCOLS, type Protocol } from "./model.js";

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

const PROTOCOL_OF: ReadonlyMap<string, Protocol> = new Map(
  PROTOCOLS.map((protocol) => [PROTOCOL_NAMES[protocol], protocol]),
);

/** The protocol by which a connection's ports have names. */
export function protocolOf({
  protocol,
}: Pick<Connection, "protocol">): Protocol | undefined {
  return PROTOCOL_OF.get(protocol);
}
