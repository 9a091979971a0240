/**
 * A typed client for IPVS.
 *
 * {@link openIpvs} returns an {@link IpvsClient}. Its methods list and change virtual services,
 * real servers, sync daemons and timeouts. They throw {@link IpvsUnavailable} if IPVS cannot be
 * used, and {@link KernelRefusal} if the kernel refuses a request. Both have the errno, and
 * `advice` says what to do next.
 *
 * @packageDocumentation
 */
export { openIpvs } from "./ipvs/open.js";
export { IpvsClient } from "./ipvs/client.js";
export type { Change } from "./ipvs/change.js";
export { serverSettings, serviceSettings } from "./ipvs/defaults.js";

export {
  ReplyLost,
  IpvsUnavailable,
  KernelRefusal,
  TableUnsteady,
  type Command,
} from "./ipvs/errors.js";
export { MalformedReply, SocketFault } from "./netlink/errors.js";

export {
  BACKUP,
  DIRECT_ROUTING,
  HASHED,
  IPIP,
  LOCAL_NODE,
  MASQUERADING,
  MASTER,
  ONE_PACKET,
  PERSISTENT,
  SCTP,
  TCP,
  TUNNEL_CHECKSUM,
  TUNNEL_GRE,
  TUNNEL_GUE,
  TUNNEL_IPIP,
  TUNNEL_REMOTE_CHECKSUM,
  TUNNELING,
  UDP,
  type Daemon,
  type ServerEntry,
  type ServerKey,
  type ServerSettings,
  type Info,
  type Netmask,
  type Protocol,
  type ServiceEntry,
  type ServerSummary,
  type ServiceSummary,
  type ServiceSummaryWithServers,
  type ServiceKey,
  type ServiceSettings,
  type ServiceWithServers,
  type Stats,
  type Timeouts,
  type Tunnel,
} from "./ipvs/model.js";
export {
  schedulerFlag,
  schedulerFlagNames,
  type SchedulerFlag,
} from "./ipvs/scheduler-flags.js";

export {
  familyOf,
  formatAddress,
  INET,
  INET6,
  parseAddress,
  sameAddress,
  type Address,
  type Family,
} from "./ipvs/address.js";
export { formatEndpoint, formatService } from "./ipvs/model.js";
export { MalformedText, parseServer, parseService } from "./ipvs/parse-keys.js";

export { exchangeOver, type Exchange } from "./netlink/exchange.js";
export type { Link, Span } from "./netlink/link.js";
export { openNodeLink } from "./netlink/node-link.js";
