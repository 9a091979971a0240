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
import { byPosition, atRule, type Finding } from "./finding-positions.js";
import { ignoredPort } from "./ignored-port.js";

/* Rules that a kernel accepts, but that are probably a mistake. */

/** A service with this scheduler refuses every connection. @see ip_vs_add_service() in ip_vs_ctl.c */
const NO_SCHEDULER = "none";
/** The schedulers of Linux that have flags. */
const WITH_FLAGS: ReadonlySet<string> = new Set(["sh", "mh"]);

/** All warnings, in the order of the text. Rules with errors are skipped. */
export function warningsOf(file: RuleFile): RuleFinding[] {
  return [
    ...file.textWarnings,
    ...emptyFileWarning(file),
    ...tableWarnings(file),
  ].sort(byPosition);
}

/** A file without rules is probably the result of an error in the program that wrote it. */
function* emptyFileWarning({
  table,
  errors,
  healthChecks,
}: RuleFile): Generator<RuleFinding> {
  if (healthChecks) return; // the warning is one of the text
  const { services, timeouts, daemons } = table;
  if (services.length > 0 || timeouts || daemons || errors.length > 0) return;
  yield {
    position: { line: 1, column: 1 },
    id: "says-nothing",
    message:
      "the file contains no rules; 'ipvsadm apply' and 'ipvsadm restore' refuse it",
    advice: "to remove all services, run 'ipvsadm -C'",
  };
}

function* tableWarnings(file: RuleFile): Generator<RuleFinding> {
  for (const service of file.table.services) {
    if (!file.invalid.has(service))
      for (const finding of serviceWarnings(service, file))
        yield atRule(file, service, finding);
    for (const server of service.servers)
      if (!file.invalid.has(service) && !file.invalid.has(server))
        for (const finding of serverWarnings(service.key, server))
          yield atRule(file, server, finding);
  }
}

function* serviceWarnings(
  service: ServiceRule,
  { incomplete }: RuleFile,
): Generator<Finding> {
  const { key, settings, servers } = service;
  yield* schedulerWarnings(settings.scheduler, settings.flags);
  yield* persistenceWarnings({ key, settings });
  if ("address" in key && key.address.every((byte) => byte === 0))
    yield {
      id: "wildcard-service",
      message: `${key.family === INET6 ? "::" : "0.0.0.0"} does not match every address: the service gets no packets`,
      advice: "use the address that clients connect to, or a firewall mark",
      part: "service",
    };
  if (settings.flags & ONE_PACKET && "protocol" in key && key.protocol !== UDP)
    yield {
      id: "one-packet-without-udp",
      message: "one-packet scheduling works only with UDP",
      advice: "remove it",
      part: "onePacket",
    };
  if (!incomplete.has(service)) yield* serversWarnings(servers);
}

function* serversWarnings(servers: readonly ServerRule[]): Generator<Finding> {
  if (servers.length === 0)
    yield {
      id: "no-servers",
      message: "the service has no real servers: it refuses all connections",
      advice: "add a real server, or remove the service",
    };
  else if (servers.every(({ settings }) => settings.weight === 0))
    yield {
      id: "all-weights-zero",
      message:
        "all real servers have weight 0: the service refuses new connections",
      advice: "give at least one of them a weight above 0",
    };
}

function* schedulerWarnings(
  scheduler: string,
  flags: number,
): Generator<Finding> {
  if (scheduler === NO_SCHEDULER)
    yield {
      id: "no-scheduler",
      message: "scheduler none refuses all connections",
      advice: "choose a scheduler, such as wlc",
      part: "scheduler",
    };
  else if (!SCHEDULERS.has(scheduler)) {
    const meant = nearest(scheduler, SCHEDULERS.keys());
    yield {
      id: "unknown-scheduler",
      message: `unknown scheduler "${scheduler}"`,
      advice:
        meant === undefined
          ? `schedulers of Linux: ${[...SCHEDULERS.keys()].join(", ")}`
          : `did you mean ${meant}?`,
      part: "scheduler",
    };
  } else if (flags & ALL_SCHEDULER_FLAGS && !WITH_FLAGS.has(scheduler))
    yield {
      id: "scheduler-flags-ignored",
      message: `scheduler ${scheduler} has no flags`,
      advice: "remove them; only sh and mh have flags",
      part: "flags",
    };
}

function* persistenceWarnings({
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
      message: `unknown persistence engine "${persistenceEngine}"`,
      advice: `persistence engines of Linux: ${[...PERSISTENCE_ENGINES.keys()].join(", ")}`,
      part: "engine",
    };
  if (flags & PERSISTENT) {
    if (timeoutSeconds === 0)
      yield {
        id: "no-persistence-time",
        message: "a persistence timeout of 0 seconds has no effect",
        advice: "use a timeout such as 360",
        part: "timeout",
      };
    if (isDiscontiguous(netmask))
      yield {
        id: "mask-with-gaps",
        message: `netmask ${formatNarrowMask(netmask) ?? ""} is not contiguous: it treats unrelated clients as one`,
        advice: "use a contiguous netmask, such as 255.255.255.0",
        part: "netmask",
      };
    return;
  }
  if (formatNarrowMask(netmask) !== undefined)
    yield {
      id: "mask-without-persistence",
      message: "a netmask has no effect without persistence",
      advice: "add -p (persistence), or remove the netmask",
      part: "netmask",
    };
  if (persistenceEngine !== undefined)
    yield {
      id: "engine-without-persistence",
      message: "a persistence engine has no effect without persistence",
      advice: "add -p (persistence), or remove the engine",
      part: "engine",
    };
  if ("port" in key && key.port === 0)
    yield {
      id: "port-zero",
      message:
        "without persistence, a service on all ports (0) gets no connections",
      advice: "add persistence, or give the port",
      part: "port",
    };
}

function isDiscontiguous(netmask: Netmask): boolean {
  if (typeof netmask === "number") return false;
  let bits = 0;
  for (const byte of netmask) bits = bits * 256 + byte;
  const clients = 0xffffffff - bits; // ones where clients may differ
  return (clients & (clients + 1)) !== 0;
}

function* serverWarnings(
  service: ServiceKey,
  { key, settings }: ServerRule,
): Generator<Finding> {
  const { forwarding, tunnel } = settings;
  if (
    (forwarding === DIRECT_ROUTING || forwarding === TUNNELING) &&
    "port" in service &&
    key.port !== service.port
  )
    yield ignoredPort(key.port, service.port);
  if (
    forwarding !== TUNNELING &&
    (tunnel.type !== TUNNEL_IPIP || tunnel.port !== 0 || tunnel.flags !== 0)
  )
    yield {
      id: "tunnel-ignored",
      message: "tunnel settings have no effect without tunneling",
      advice: "remove them, or use the forwarding method tunnel",
      part: "tunnel",
    };
  if (isLinkLocal(key.address))
    yield {
      id: "link-local-server",
      message:
        "the kernel refuses a link-local real server, unless the address is the director's own",
      advice: "use a global or unique local address",
      part: "address",
    };
}
