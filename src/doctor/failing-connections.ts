import { formatSelector } from "../grammar/selector.js";
import { TCP, type ServiceWithServers, type Timeouts } from "../ipvs/model.js";
import {
  serviceFinder,
  type ConnectionGroup,
  type Connections,
} from "./connections.js";
import { expirySeconds } from "./director/reach/silence.js";

/** How many connections the kernel has counted for each service, at a moment. */
export interface CounterReading {
  /** Seconds since an arbitrary moment */
  readonly seconds: number;
  /** By the service; services by firewall mark together */
  readonly opened: ReadonlyMap<string, bigint>;
}

/** The connections of a service since a reading of the counters. */
export interface ServiceFailures {
  /** `tcp/192.0.2.1:80` */
  readonly service: string;
  readonly opened: number;
  /** How many wait in SYN_RECV for an answer */
  readonly failing: number;
}

/** The kernel keeps a connection in SYN_RECV for a minute: older ones cannot be counted. */
export const LONGEST_WINDOW_SECONDS = 60;

/** A service with fewer new connections is not judged: one client that goes away would be a large share. */
const FEWEST_OPENED = 10;

/**
 * A connection counts as failing if its last packet is this old. The kernel's list has whole seconds, rounded down: two in it
 * are at least one.
 */
const FAILING_AFTER_SECONDS = 2;

const MARKS = "services by firewall mark";

export function readCounters(
  table: readonly ServiceWithServers[],
  seconds: number,
): CounterReading {
  const opened = new Map<string, bigint>();
  for (const { key, stats } of table) {
    if (!hasHandshakes({ key })) continue;
    const name = nameOf({ key });
    opened.set(name, (opened.get(name) ?? 0n) + stats.connections);
  }
  return { seconds, opened };
}

/**
 * The service with the largest share of failing connections: its connections in SYN_RECV whose last packet is at least a second
 * old, of those that the kernel has counted since a reading. A refused connection is not counted with masquerading.
 *
 * @param since at most LONGEST_WINDOW_SECONDS before `now`
 * @returns undefined if no service has enough new connections
 */
export function worstFailures(
  table: readonly ServiceWithServers[],
  connections: Connections,
  timeouts: Timeouts,
  since: CounterReading,
  now: CounterReading,
): ServiceFailures | undefined {
  const failing = new Map<string, number>();
  const serviceOf = serviceFinder(table);
  const seconds = now.seconds - since.seconds;
  for (const groups of connections.byServer.values())
    for (const group of groups) {
      const count = waitingCount(group, timeouts, seconds);
      if (count === 0) continue;
      const service = serviceOf(group);
      const name = service ? nameOf(service) : MARKS;
      failing.set(name, (failing.get(name) ?? 0) + count);
    }
  let worst: ServiceFailures | undefined;
  for (const [service, count] of now.opened) {
    const before = since.opened.get(service) ?? 0n;
    // The counters may have been zeroed, and the service replaced.
    const opened = Number(count >= before ? count - before : count);
    if (opened < FEWEST_OPENED) continue;
    const one = {
      service,
      opened,
      failing: Math.min(failing.get(service) ?? 0, opened),
    };
    if (!worst || one.failing / opened > worst.failing / worst.opened)
      worst = one;
  }
  return worst;
}

/** How many connections of a group wait for an answer, and began in this time. */
function waitingCount(
  { protocol, opening }: ConnectionGroup,
  timeouts: Timeouts,
  seconds: number,
): number {
  if (protocol !== "TCP") return 0;
  let count = 0;
  for (const [expires, some] of opening) {
    const idle = expirySeconds("SYN_RECV", timeouts) - expires;
    if (idle >= FAILING_AFTER_SECONDS && idle <= seconds) count += some;
  }
  return count;
}

function hasHandshakes({ key }: Pick<ServiceWithServers, "key">): boolean {
  return "firewallMark" in key || key.protocol === TCP;
}

function nameOf({ key }: Pick<ServiceWithServers, "key">): string {
  return "firewallMark" in key ? MARKS : formatSelector(key);
}
