import type {
  Daemon,
  Info,
  ServiceWithServers,
  Timeouts,
} from "../ipvs/model.js";
import type { Module, moduleStates } from "../system/kernel-module.js";
import type { Connections } from "./connections.js";
import type { Network, Stations } from "./network.js";
import type { Listener } from "./real-server/listeners.js";
import type { RealServer } from "./real-server/real-server.js";
import type { HeardSync } from "./read-sync.js";
import type { Sysctls } from "./sysctls.js";

/**
 * A machine as it was when it was looked at, as plain data: all that checks know. What could not be found out is
 * undefined, and what was not asked for.
 */
export interface Facts {
  /** The module ip_vs */
  readonly module?: Module | undefined;
  /** The module xt_ipvs, the match of firewalls for connections of IPVS */
  readonly matcher?: Module | undefined;
  /** What becomes of ip_vs and the schedulers' modules when they are asked for, by their names */
  readonly available?: ReturnType<typeof moduleStates> | undefined;
  readonly sysctls?: Sysctls | undefined;
  /** The services that are to be examined, with all their real servers */
  readonly table?: readonly ServiceWithServers[] | undefined;
  readonly info?: Info | undefined;
  readonly timeouts?: Timeouts | undefined;
  readonly daemons?: readonly Daemon[] | undefined;
  /** What masters were heard to tell the backups that run here */
  readonly heard?: readonly HeardSync[] | undefined;
  readonly network?: Network | undefined;
  readonly stations?: Stations | undefined;
  readonly connections?: Connections | undefined;
  /** The sockets of a real server that take connections, or datagrams of anybody */
  readonly listeners?: readonly Listener[] | undefined;
  /** Where a real server is examined, all that is to be known of it but its settings and its listeners */
  readonly realServer?: RealServer | undefined;
}

/** Facts, and why some are wanting. */
export interface Gathered {
  readonly facts: Facts;
  /** In words: `IPVS is not in the kernel` */
  readonly reasons: ReadonlyMap<keyof Facts, string>;
}
