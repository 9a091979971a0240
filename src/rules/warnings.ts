import { INET6, isLinkLocal } from "../ipvs/address.js";
import {
  DIRECT_ROUTING,
  ONE_PACKET,
  PERSISTENT,
  TUNNELING,
  TUNNEL_IPIP,
  UDP,
  formatNarrowMask,
  type Netmask,
  type ServiceKey,
} from "../ipvs/model.js";
import { ALL_SCHEDULER_FLAGS } from "../ipvs/scheduler-flags.js";
import { PERSISTENCE_ENGINES, SCHEDULERS } from "../ipvs/schedulers.js";
import type { ServerRule, ServiceRule } from "../ipvs/table.js";
import { nearest } from "../text/nearest.js";
import type { RuleFinding, RuleFile } from "./rule-file.js";
import { byPlace, placed, type Finding } from "./finding-positions.js";
import { portIgnored } from "./ignored-port.js";

/* What a kernel takes, though hardly anybody means it. */

/** The scheduler that is none: every connection is refused. @see ip_vs_add_service() in ip_vs_ctl.c */
const NO_SCHEDULER = "none";
/** Linux's own schedulers that look at their flags. */
const WITH_FLAGS: ReadonlySet<string> = new Set(["sh", "mh"]);

/** All that should make its writer think, in the order of the text. What has a fault is passed over. */
export function warningsOf(file: RuleFile): RuleFinding[] {
  return [...file.remarks, ...ofAll(file), ...ofTable(file)].sort(byPlace);
}

/** A file without a single rule is rather one that could not be written than one that was meant. */
function* ofAll({ table, faults }: RuleFile): Generator<RuleFinding> {
  const { services, timeouts, daemons } = table;
  if (services.length > 0 || timeouts || daemons || faults.length > 0) return;
  yield {
    place: { line: 1, column: 1 },
    id: "says-nothing",
    fault:
      "no rule is here: 'ipvsadm apply' and 'ipvsadm restore' do not take such a file",
    advice:
      "see whether what was to write it went wrong; 'ipvsadm -C' removes all services, if that is meant",
  };
}

function* ofTable(file: RuleFile): Generator<RuleFinding> {
  for (const service of file.table.services) {
    if (!file.invalid.has(service))
      for (const remark of ofService(service, file))
        yield placed(file, service, remark);
    for (const server of service.servers)
      if (!file.invalid.has(service) && !file.invalid.has(server))
        for (const remark of ofServer(service.key, server))
          yield placed(file, server, remark);
  }
}

function* ofService(
  service: ServiceRule,
  { incomplete }: RuleFile,
): Generator<Finding> {
  const { key, settings, servers } = service;
  yield* ofScheduler(settings.scheduler, settings.flags);
  yield* ofPersistence({ key, settings });
  if ("address" in key && key.address.every((byte) => byte === 0))
    yield {
      id: "wildcard-service",
      fault: `the address ${key.family === INET6 ? "::" : "0.0.0.0"} is not every address: no packet goes to it`,
      advice:
        "name the address that clients connect to, or use a firewall mark",
      part: "service",
    };
  if (settings.flags & ONE_PACKET && "protocol" in key && key.protocol !== UDP)
    yield {
      id: "one-packet-without-udp",
      fault: "one-packet scheduling has no effect but with UDP",
      advice: "leave it out",
      part: "onePacket",
    };
  if (!incomplete.has(service)) yield* ofServers(servers);
}

function* ofServers(servers: readonly ServerRule[]): Generator<Finding> {
  if (servers.length === 0)
    yield {
      id: "no-servers",
      fault: "this service has no real server: its connections are refused",
      advice: "add one, or leave the service out",
    };
  else if (servers.every(({ settings }) => settings.weight === 0))
    yield {
      id: "all-weights-zero",
      fault:
        "every real server has weight 0: the service takes no new connections",
      advice: "give at least one a weight",
    };
}

function* ofScheduler(scheduler: string, flags: number): Generator<Finding> {
  if (scheduler === NO_SCHEDULER)
    yield {
      id: "no-scheduler",
      fault: "the scheduler none takes no new connections",
      advice: "name a scheduler, such as wlc",
      part: "scheduler",
    };
  else if (!SCHEDULERS.has(scheduler)) {
    const meant = nearest(scheduler, SCHEDULERS.keys());
    yield {
      id: "unknown-scheduler",
      fault: `${scheduler} is none of Linux's own schedulers`,
      advice:
        meant === undefined
          ? `there are ${[...SCHEDULERS.keys()].join(", ")}`
          : `did you mean ${meant}?`,
      part: "scheduler",
    };
  } else if (flags & ALL_SCHEDULER_FLAGS && !WITH_FLAGS.has(scheduler))
    yield {
      id: "scheduler-flags-ignored",
      fault: `the scheduler ${scheduler} knows no flags`,
      advice: "leave them out: only sh and mh have some",
      part: "flags",
    };
}

function* ofPersistence({
  key,
  settings,
}: Pick<ServiceRule, "key" | "settings">): Generator<Finding> {
  const { flags, timeoutSeconds, netmask, persistenceEngine } = settings;
  if (
    persistenceEngine !== undefined &&
    !PERSISTENCE_ENGINES.has(persistenceEngine)
  )
    yield {
      id: "unknown-engine",
      fault: `${persistenceEngine} is none of Linux's own persistence engines`,
      advice: `there is ${[...PERSISTENCE_ENGINES.keys()].join(", ")}`,
      part: "engine",
    };
  if (flags & PERSISTENT) {
    if (timeoutSeconds === 0)
      yield {
        id: "no-persistence-time",
        fault: "persistence of 0 seconds is none",
        advice: "give a time, such as 360",
        part: "timeout",
      };
    if (hasGaps(netmask))
      yield {
        id: "mask-with-gaps",
        fault: `the mask ${formatNarrowMask(netmask) ?? ""} has gaps: clients far apart are taken for one`,
        advice:
          "a mask begins with ones and ends with zeros, such as 255.255.255.0",
        part: "netmask",
      };
    return;
  }
  if (formatNarrowMask(netmask) !== undefined)
    yield {
      id: "mask-without-persistence",
      fault: "a mask has no effect without persistence",
      advice: "add -p (persistence), or leave the mask out",
      part: "netmask",
    };
  if (persistenceEngine !== undefined)
    yield {
      id: "engine-without-persistence",
      fault: "a persistence engine has no effect without persistence",
      advice: "add -p (persistence), or leave the engine out",
      part: "engine",
    };
  if ("port" in key && key.port === 0)
    yield {
      id: "port-zero",
      fault:
        "without persistence, a service of every port (0) gets no connections",
      advice: "make it persistent, or give its port",
      part: "port",
    };
}

function hasGaps(netmask: Netmask): boolean {
  if (typeof netmask === "number") return false;
  let bits = 0;
  for (const byte of netmask) bits = bits * 256 + byte;
  const clients = 0xffffffff - bits; // ones where clients may differ
  return (clients & (clients + 1)) !== 0;
}

function* ofServer(
  service: ServiceKey,
  { key, settings }: ServerRule,
): Generator<Finding> {
  const { forwarding, tunnel } = settings;
  if (
    (forwarding === DIRECT_ROUTING || forwarding === TUNNELING) &&
    "port" in service &&
    key.port !== service.port
  )
    yield portIgnored(key.port, service.port);
  if (
    forwarding !== TUNNELING &&
    (tunnel.type !== TUNNEL_IPIP || tunnel.port !== 0 || tunnel.flags !== 0)
  )
    yield {
      id: "tunnel-ignored",
      fault: "a tunnel has no effect but with the forwarding method tunnel",
      advice: "leave it out, or forward by tunnel",
      part: "tunnel",
    };
  if (isLinkLocal(key.address))
    yield {
      id: "link-local-server",
      fault:
        "a link-local address is refused, unless it is one of the director's own",
      advice: "give the real server a global or unique local address",
      part: "address",
    };
}
