import { INET, INET6, type Address, type Family } from "../ipvs/address.js";
import {
  IPIP,
  MASTER,
  wholeNetmask,
  type Netmask,
  type Protocol,
  type ServiceKey,
  type Tunnel,
} from "../ipvs/model.js";
import { parseEndpoint, type Endpoint, type Lookups } from "./endpoint.js";

/** Defaults. Addresses and netmasks are never modified, so they can be shared. */
const NO_ADDRESS: Address = new Uint8Array(4);
const WHOLE_NETMASK = wholeNetmask(INET);

/** The values that the options of a command line have set. Reused for one line after the other. */
export class ParsedOptions {
  family!: Family;
  firewallMark!: number;
  protocol: Protocol | undefined;
  address!: Address;
  port!: number;

  scheduler!: string;
  persistenceEngine!: string;
  flags!: number;
  timeoutSeconds!: number;
  netmask!: Netmask;

  serverAddress!: Address;
  serverPort!: number;
  /** The real server's port as written on the command line */
  writtenServerPort: number | undefined;
  forwarding: number | undefined;
  weight!: number;
  upperThreshold!: number;
  lowerThreshold!: number;
  tunnel!: Tunnel;

  daemonState!: 1 | 2;
  multicastInterface!: string;
  syncId!: number;
  maximumLength: number | undefined;
  multicastGroup: Address | undefined;
  multicastPort: number | undefined;
  multicastTtl: number | undefined;

  /** The last service, and its text. The lines of a service's servers repeat it */
  #service: Exclude<ServiceKey, { firewallMark: number }> | undefined;
  #written:
    | {
        readonly text: string;
        readonly protocol: Protocol;
        readonly endpoint: Endpoint;
      }
    | undefined;

  constructor(readonly lookups: Lookups) {
    this.clear();
  }

  /** Resets everything to the defaults, for the next line. */
  clear(): void {
    this.family = INET;
    this.firewallMark = 0;
    this.protocol = undefined;
    this.address = NO_ADDRESS;
    this.port = 0;
    this.scheduler = "";
    this.persistenceEngine = "";
    this.flags = 0;
    this.timeoutSeconds = 0;
    this.netmask = WHOLE_NETMASK;
    this.serverAddress = NO_ADDRESS;
    this.serverPort = 0;
    this.writtenServerPort = undefined;
    this.forwarding = undefined;
    this.weight = 1;
    this.upperThreshold = 0;
    this.lowerThreshold = 0;
    this.tunnel = IPIP;
    this.daemonState = MASTER;
    this.multicastInterface = "";
    this.syncId = 0;
    this.maximumLength = undefined;
    this.multicastGroup = undefined;
    this.multicastPort = undefined;
    this.multicastTtl = undefined;
  }

  /**
   * The service's identity. Returns the same object while successive lines name the same service,
   * as the lines of its servers do.
   */
  get service(): ServiceKey {
    const { family, firewallMark, protocol, address, port } = this;
    if (firewallMark !== 0) return { family, firewallMark };
    if (protocol === undefined)
      throw new Error("a service without a protocol was not refused");
    const last = this.#service;
    if (
      last?.address === address &&
      last.port === port &&
      last.protocol === protocol &&
      last.family === family
    )
      return last;
    return (this.#service = { family, protocol, address, port });
  }

  /**
   * Parses a service's address and port. For the same text as before, returns the same object.
   *
   * @returns undefined if the text is not an endpoint
   * @throws {UnresolvedHost}
   */
  serviceEndpoint(text: string, protocol: Protocol): Endpoint | undefined {
    const last = this.#written;
    if (last?.text === text && last.protocol === protocol) return last.endpoint;
    const endpoint = parseEndpoint(text, protocol, this.lookups);
    if (endpoint) this.#written = { text, protocol, endpoint };
    return endpoint;
  }

  useIpv6(): void {
    this.family = INET6;
    this.netmask = wholeNetmask(INET6);
  }
}
