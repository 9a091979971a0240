import type {
  Daemon,
  Info,
  ServiceWithServers,
  Timeouts,
} from "../ipvs/model.js";
import type { Module, moduleStates } from "../system/kernel-module.js";
import type { Connections } from "./connections.js";
import type { ConnectionLimits } from "./connection-limits.js";
import type { LaterCounters } from "./later-counters.js";
import type { LaterRuleset } from "./firewall/later-ruleset.js";
import type { Firewall } from "./firewall/read-firewall.js";
import type { PathSize } from "./path-size.js";
import type { Probe } from "./probe-result.js";
import type { Network, Stations } from "./network.js";
import type { GroupClients } from "./persistence-groups.js";
import type { FtpHelper } from "./read-ftp-helper.js";
import type { HeldListener } from "./real-server/held-listeners.js";
import type { Listener } from "./real-server/listeners.js";
import type { ListeningProgram } from "./real-server/listening-programs.js";
import type { RealServer } from "./real-server/real-server.js";
import type { Unaccepted } from "./real-server/read-unaccepted.js";
import type { Counters } from "./read-counters.js";
import type { SentErrors } from "./read-sent-errors.js";
import type { HeardSync } from "./sync-messages.js";
import type { Sysctls } from "./sysctls.js";

/** The state of a machine as plain data: all that checks know. A fact is undefined if it could not be read, or was not needed. */
export interface Facts {
  /** The module ip_vs */
  readonly module?: Module | undefined;
  /** The module xt_ipvs, the match of firewalls for connections of IPVS */
  readonly matcher?: Module | undefined;
  /** Whether ip_vs and the schedulers' modules are there or can be loaded, by their names */
  readonly available?: ReturnType<typeof moduleStates> | undefined;
  /** The module ip_vs_ftp and its ports */
  readonly ftpHelper?: FtpHelper | undefined;
  readonly sysctls?: Sysctls | undefined;
  /** Whether there is a file with saved rules, /etc/ipvsadm.rules; undefined if the table is not empty */
  readonly hasSavedRules?: boolean | undefined;
  /** Settings that nobody can change in this network namespace, by their paths */
  readonly fixedSysctls?: ReadonlySet<string> | undefined;
  /** The services to examine, with all their real servers */
  readonly table?: readonly ServiceWithServers[] | undefined;
  /** All services, also those that are not examined */
  readonly allServices?: readonly ServiceWithServers[] | undefined;
  readonly info?: Info | undefined;
  readonly timeouts?: Timeouts | undefined;
  readonly daemons?: readonly Daemon[] | undefined;
  /** The sync messages that arrive here, for each backup daemon */
  readonly heard?: readonly HeardSync[] | undefined;
  readonly network?: Network | undefined;
  readonly stations?: Stations | undefined;
  readonly connections?: Connections | undefined;
  /** The counters of real servers a few seconds later; undefined if nothing depends on them */
  readonly later?: LaterCounters | undefined;
  /** The clients of services with the same real servers, each persistent by itself */
  readonly groupClients?: readonly GroupClients[] | undefined;
  /** The connections of a real server that no program accepts */
  readonly unaccepted?: readonly Unaccepted[] | undefined;
  /** The programs that listen at the ports of these connections, and do not run */
  readonly heldListeners?: readonly HeldListener[] | undefined;
  /** The programs that listen at the ports of local real servers, but not where requests arrive */
  readonly programs?: readonly ListeningProgram[] | undefined;
  /** The listening sockets of this machine */
  readonly listeners?: readonly Listener[] | undefined;
  /** The firewall rules that could be read */
  readonly firewall?: Firewall | undefined;
  /** They again, some seconds later, if nothing but their counters tells whether a rule stops packets */
  readonly firewallLater?: LaterRuleset | undefined;
  /** How full the tables of connections are */
  readonly limits?: ConnectionLimits | undefined;
  /** The real server that is examined, without its settings and its listeners */
  readonly realServer?: RealServer | undefined;
  /** Messages about packets that could not be delivered, as the kernel counts them */
  readonly sentErrors?: SentErrors | undefined;
  /** The kernel's counters of packets */
  readonly counters?: Counters | undefined;
  /** What became of connections to real servers; none without --probe */
  readonly probes?: readonly Probe[] | undefined;
  /** Which packets get to real servers, or from a real server to its director and routers; none without --probe */
  readonly sizes?: readonly PathSize[] | undefined;
}

/** Facts, and why some are missing. */
export interface Gathered {
  readonly facts: Facts;
  /** In words: `IPVS is not in the kernel` */
  readonly reasons: ReadonlyMap<keyof Facts, string>;
  /** What doctor did not or could not check, with the reason */
  readonly notChecked: readonly string[];
  /** How many firewall rules among them perhaps stop traffic, and have matched packets */
  readonly unjudgedRules?: number | undefined;
}
