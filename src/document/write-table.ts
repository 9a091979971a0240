import { formatAddress } from "../ipvs/address.js";
import {
  HASHED,
  ONE_PACKET,
  PERSISTENT,
  TUNNELING,
  type Daemon,
  type ServerKey,
  type ServerSettings,
  type ServiceKey,
  type ServiceSettings,
  type Timeouts,
  formatNarrowMask,
} from "../ipvs/model.js";
import {
  ALL_SCHEDULER_FLAGS,
  schedulerBitNames,
} from "../ipvs/scheduler-flags.js";
import type { AssessedServer, AssessedService } from "../ipvs/state.js";
import { sumConnections } from "../ipvs/totals.js";
import type { Json, Members } from "./json-text.js";
import type { ServerRule, ServiceRule, Table } from "../ipvs/table.js";
import { TABLE_SCHEMA } from "./schema.js";
import { CHECKSUMS, FORWARDING, ROLES, TUNNELS } from "./enum-names.js";
import {
  serverKeyMembers,
  serverParts,
  serviceKeyMembers,
  serviceParts,
} from "./key-members.js";
import { decodeUtf8 } from "../text/utf8.js";

/* Writes the model as the fields of a document, which read-table.ts reads. Counters are bigint, to keep all digits. */

export type { Members } from "./json-text.js";

/** Looks up the names that a document shows besides addresses; undefined if there is none. */
export interface DocumentNames {
  service(key: ServiceKey): string | undefined;
  server(service: ServiceKey, key: ServerKey): string | undefined;
}

const NO_NAMES: DocumentNames = {
  service: () => undefined,
  server: () => undefined,
};

/** The settings of a service and its real servers. */
function serviceRuleMembers(service: ServiceRule): Members {
  return {
    ...serviceParts(service.key),
    ...settingsMembers(service.settings),
    servers: service.servers.map(serverRuleMembers),
  };
}

/**
 * The settings of a service and its real servers, with states and counters.
 *
 * @param servers those to list. The numbers of the service count all its servers
 */
export function serviceMembers(
  service: AssessedService,
  names = NO_NAMES,
  servers = service.servers,
): Members {
  return {
    ...serviceOwnMembers(service, names),
    servers: servers.map((server) => serverMembers(service.key, server, names)),
  };
}

/** The members of a service without its real servers. */
export function serviceOwnMembers(
  { key, settings, state, effectiveWeight, stats, servers }: AssessedService,
  names = NO_NAMES,
): Members {
  return {
    ...serviceKeyMembers(key),
    name: names.service(key),
    state,
    ...settingsMembers(settings),
    effectiveWeight,
    ...sumConnections(servers),
    stats: { ...stats },
  };
}

/** The settings of a whole table. readTable() returns the same table. */
export function tableMembers(table: Table): Members {
  return {
    schema: TABLE_SCHEMA,
    timeouts: table.timeouts && timeoutMembers(table.timeouts),
    daemons: table.daemons?.map(daemonMembers),
    services: table.services.map(serviceRuleMembers),
  };
}

/** The settings of a service. */
export function settingsMembers(settings: ServiceSettings): Members {
  const { scheduler, flags } = settings;
  const names = schedulerBitNames(scheduler, flags);
  const other =
    flags & ~(PERSISTENT | HASHED | ONE_PACKET | ALL_SCHEDULER_FLAGS);
  return {
    scheduler: decodeUtf8(scheduler),
    schedulerFlags: names.length > 0 ? names : undefined,
    persistence: persistenceMembers(settings),
    onePacket: flags & ONE_PACKET ? true : undefined,
    otherFlags: other === 0 ? undefined : other >>> 0,
  };
}

/** Undefined if persistence is off and no setting of it differs from its default. */
function persistenceMembers({
  flags,
  timeoutSeconds,
  netmask,
  persistenceEngine,
}: ServiceSettings): Json {
  const mask = formatNarrowMask(netmask);
  const enabled = (flags & PERSISTENT) !== 0;
  const set = {
    timeoutSeconds:
      enabled || timeoutSeconds !== 0 ? timeoutSeconds : undefined,
    netmask: mask !== undefined && typeof netmask === "number" ? netmask : mask,
    engine:
      persistenceEngine === undefined
        ? undefined
        : decodeUtf8(persistenceEngine),
  };
  if (enabled) return set;
  const silent = Object.values(set).every((value) => value === undefined);
  return silent ? undefined : { enabled, ...set };
}

function serverRuleMembers({ key, settings }: ServerRule): Members {
  return { ...serverParts(key), ...serverSettingsMembers(settings) };
}

/** The settings of a real server, with its state and counters. */
export function serverMembers(
  service: ServiceKey,
  server: AssessedServer,
  names = NO_NAMES,
): Members {
  return {
    ...serverKeyMembers(server.key),
    name: names.server(service, server.key),
    state: server.state,
    ...serverSettingsMembers(server.settings),
    share: Math.round(server.share * 1e6) / 1e6,
    activeConnections: server.activeConnections,
    inactiveConnections: server.inactiveConnections,
    persistentConnections: server.persistentConnections,
    stats: { ...server.stats },
  };
}

/** The settings of a real server. */
export function serverSettingsMembers(settings: ServerSettings): Members {
  const { forwarding, weight, tunnel, upperThreshold, lowerThreshold } =
    settings;
  const { type, port, flags } = tunnel;
  const wrapped =
    forwarding === TUNNELING || type !== 0 || port !== 0 || flags !== 0;
  return {
    // A newer kernel may have a method without a name here.
    forwarding: FORWARDING.word(forwarding) ?? forwarding,
    tunnel: wrapped
      ? {
          type: TUNNELS.word(type) ?? type,
          port: port === 0 ? undefined : port,
          checksum: flags === 0 ? undefined : (CHECKSUMS.word(flags) ?? flags),
        }
      : undefined,
    weight,
    upperThreshold: upperThreshold === 0 ? undefined : upperThreshold,
    lowerThreshold: lowerThreshold === 0 ? undefined : lowerThreshold,
  };
}

export function timeoutMembers(timeouts: Timeouts): Members {
  const { tcpSeconds, tcpFinSeconds, udpSeconds } = timeouts;
  return { tcpSeconds, tcpFinSeconds, udpSeconds };
}

export function daemonMembers(daemon: Daemon): Members {
  return {
    role: ROLES.word(daemon.state),
    interface: decodeUtf8(daemon.multicastInterface),
    syncId: daemon.syncId,
    maximumLength: daemon.maximumLength,
    group: daemon.multicastGroup && formatAddress(daemon.multicastGroup),
    port: daemon.multicastPort,
    ttl: daemon.multicastTtl,
  };
}
