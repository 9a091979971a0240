/// <reference lib="esnext.disposable" preserve="true" />
/**
 * A typed client for IPVS, and what the subcommands of ipvsadm do with it.
 *
 * {@link openIpvs} returns an {@link IpvsClient}. Its methods list and change virtual services,
 * real servers, sync daemons and timeouts. They throw {@link IpvsUnavailable} if IPVS cannot be
 * used, and {@link KernelRefusal} if the kernel refuses a request. Both have the errno, and
 * `advice` says what to do next.
 *
 * {@link readRuleFile} reads and checks rules, {@link planTable} plans and applies them,
 * {@link drainServers} takes servers out of service, {@link examineDirector} looks for faults,
 * {@link readMetrics} and {@link topConnections} count.
 *
 * A wrong argument is an {@link InvalidArgument}, which is a TypeError.
 *
 * @packageDocumentation
 */
export { openIpvs } from "./library/open.js";
export { IpvsClient } from "./library/client.js";
export type { Change } from "./ipvs/change.js";
export { InvalidArgument } from "./library/invalid-argument.js";
export type { StopSignal } from "./library/stop-signal.js";

export {
  formatChange,
  formatTable,
  parseRules,
  readRuleFile,
  RuleFileUnreadable,
  type ReadRulesOptions,
  type RuleFile,
  type RuleFinding,
} from "./library/rules.js";
export type {
  ServerRule,
  ServiceRule,
  Table,
  TableRule,
} from "./ipvs/table.js";

export {
  planTable,
  TablePlan,
  type ApplyOptions,
  type ApplyResult,
  type KeptServer,
  type PlanOptions,
} from "./library/apply.js";
export {
  PlanFailed,
  TableChanged,
  type NotRolledBack,
} from "./plan/plan-failed.js";
export type { Step } from "./plan/steps.js";
export type { LockOptions } from "./library/locked.js";
export { LockFailed, LockHeld, type Holder } from "./system/lock.js";

export {
  drainServers,
  NotInTable,
  undrainServers,
  waitUntil,
  type ActiveCondition,
  type DrainedCondition,
  type DrainedServer,
  type DrainResult,
  type Machine,
  type ServerOfService,
  type ServerSelection,
  type StateCondition,
  type UndrainedServer,
  type UndrainOptions,
  type UndrainResult,
  type WaitCondition,
  type WaitedService,
  type WaitOptions,
  type WaitResult,
  type WaitSubject,
} from "./library/drain.js";
export { NoSavedWeight } from "./drain/no-saved-weight.js";
export type { ServerInTable } from "./drain/server-in-table.js";

export {
  examineDirector,
  examineRealServer,
  type DirectorOptions,
  type DoctorCommand,
  type DoctorFinding,
  type DoctorOptions,
  type DoctorReport,
  type RealServerOptions,
  type ServedService,
  type UncheckedKind,
} from "./library/doctor.js";
export {
  metricsText,
  readMetrics,
  type Metric,
  type MetricSample,
  type MetricsOptions,
} from "./library/metrics.js";
export {
  ConnectionsUnreadable,
  topConnections,
  type TopConnections,
  type TopOptions,
  type TopRow,
} from "./library/top-connections.js";

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
export type { SchedulerFlag } from "./ipvs/scheduler-flags.js";

export { INET, INET6, type Address, type Family } from "./ipvs/address.js";
export {
  familyOf,
  formatAddress,
  formatEndpoint,
  formatService,
  parseAddress,
  parseServer,
  parseService,
  sameAddress,
  schedulerFlag,
  schedulerFlagNames,
  serverSettings,
  serviceSettings,
} from "./library/values.js";
export { MalformedText } from "./ipvs/parse-keys.js";

export { exchangeOver, openNodeLink } from "./library/sockets.js";
export type { Exchange } from "./netlink/exchange.js";
export type { Link, Span } from "./netlink/link.js";
