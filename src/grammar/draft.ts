import { INET, INET6, type Address, type Family } from "../ipvs/address.js";
import {
  IPIP,
  wholeNetmask,
  type Protocol,
  type ServiceKey,
  type Tunnel,
} from "../ipvs/model.js";
import type { Lookups } from "./endpoint.js";

/** What stands until an option says otherwise; nobody writes into an address, or a mask. */
const NO_ADDRESS: Address = new Uint8Array(4);
const WHOLE_NETMASK = wholeNetmask(INET);

/** Commands start a line; what options have said so far is gathered here, in the order of the line. */
export class Draft {
  constructor(readonly lookups: Lookups) {}

  family: Family = INET;
  firewallMark = 0;
  protocol: Protocol | undefined;
  address = NO_ADDRESS;
  port = 0;

  scheduler = "";
  persistenceEngine = "";
  flags = 0;
  timeoutSeconds = 0;
  netmask = WHOLE_NETMASK;

  serverAddress = NO_ADDRESS;
  serverPort = 0;
  /** The real server's port as it was written */
  writtenServerPort: number | undefined;
  forwarding: number | undefined;
  weight = 1;
  upperThreshold = 0;
  lowerThreshold = 0;
  tunnel: Tunnel = IPIP;

  daemonState: 1 | 2 = 1;
  multicastInterface = "";
  syncId = 0;
  maximumLength: number | undefined;
  multicastGroup: Address | undefined;
  multicastPort: number | undefined;
  multicastTtl: number | undefined;

  /** What the options say of the service's identity. */
  get service(): ServiceKey {
    if (this.firewallMark !== 0)
      return { family: this.family, firewallMark: this.firewallMark };
    if (this.protocol === undefined)
      throw new Error("a service without a protocol was not refused");
    return {
      family: this.family,
      protocol: this.protocol,
      address: this.address,
      port: this.port,
    };
  }

  useIpv6(): void {
    this.family = INET6;
    this.netmask = wholeNetmask(INET6);
  }
}
