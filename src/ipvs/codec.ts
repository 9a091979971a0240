import { decode, required, type Fields } from "../netlink/attributes.js";
import { MalformedReply } from "../netlink/errors.js";
import type { Span } from "../netlink/link.js";
import { familyOf, INET, INET6, type Address, type Family } from "./address.js";
import type { DAEMON, DESTINATION, SERVICE } from "./layouts.js";
import {
  INFO,
  MESSAGE,
  MESSAGE_WITHOUT_STATS,
  STATS,
  STATS64,
} from "./layouts.js";
import {
  BACKUP,
  FORWARDING_MASK,
  MASTER,
  SCTP,
  TCP,
  UDP,
  IPIP,
  type Daemon,
  type DestinationEntry,
  type DestinationKey,
  type DestinationSettings,
  type UncountedDestination,
  type Info,
  type Netmask,
  type Protocol,
  type ServiceEntry,
  type ServiceKey,
  type ServiceSettings,
  type UncountedService,
  type Stats,
  type Timeouts,
  type Tunnel,
} from "./model.js";

type ServiceFields = Fields<typeof SERVICE>;
type DestinationFields = Fields<typeof DESTINATION>;
type DaemonFields = Fields<typeof DAEMON>;

/** What names a service in a request. */
export function serviceKeyFields(key: ServiceKey): ServiceFields {
  return "firewallMark" in key
    ? { family: key.family, firewallMark: key.firewallMark }
    : {
        family: key.family,
        protocol: key.protocol,
        address: key.address,
        port: key.port,
      };
}

/** A service with all that can be set of it. */
export function serviceFields(
  key: ServiceKey,
  settings: ServiceSettings,
): ServiceFields {
  const { scheduler, persistenceEngine, flags, timeoutSeconds } = settings;
  const marked = "firewallMark" in key;
  return {
    family: key.family,
    firewallMark: marked ? key.firewallMark : undefined,
    protocol: marked ? undefined : key.protocol,
    address: marked ? undefined : key.address,
    port: marked ? undefined : key.port,
    scheduler,
    persistenceEngine,
    flags,
    timeoutSeconds,
    netmask: netmaskBytes(settings.netmask),
  };
}

/** What names a real server in a request. */
export function destinationKeyFields(key: DestinationKey): DestinationFields {
  return {
    family: familyOf(key.address),
    address: key.address,
    port: key.port,
  };
}

/** A real server with all that can be set of it. */
export function destinationFields(
  key: DestinationKey,
  settings: DestinationSettings,
): DestinationFields {
  const { tunnel } = settings;
  return {
    family: familyOf(key.address),
    address: key.address,
    port: key.port,
    forwarding: settings.forwarding & FORWARDING_MASK,
    weight: settings.weight,
    tunnelType: tunnel.type,
    tunnelPort: tunnel.port,
    tunnelFlags: tunnel.flags,
    upperThreshold: settings.upperThreshold,
    lowerThreshold: settings.lowerThreshold,
  };
}

export function daemonFields(daemon: Daemon): DaemonFields {
  const { multicastGroup, ...rest } = daemon;
  if (!multicastGroup) return rest;
  return multicastGroup.length === 4
    ? { ...rest, multicastGroup }
    : { ...rest, multicastGroup6: multicastGroup };
}

/**
 * Reads one message of a GET_SERVICE answer.
 *
 * @throws {MalformedReply} naming what is missing or wrong
 */
export function readService(attributes: Span): ServiceEntry {
  const { service } = required(decode(MESSAGE, attributes), ["service"]);
  const { key, settings } = serviceFrom(service);
  return { key, settings, stats: statsFrom(service) };
}

/** The same without its counters. */
export function readUncountedService(attributes: Span): UncountedService {
  const message = decode(MESSAGE_WITHOUT_STATS, attributes);
  return serviceFrom(required(message, ["service"]).service);
}

function serviceFrom(fields: ServiceFields): UncountedService {
  const wire = required(fields, SERVICE_NEEDS);
  const family = asFamily(wire.family);
  const { persistenceEngine } = wire;
  const settings = {
    scheduler: wire.scheduler,
    flags: wire.flags,
    timeoutSeconds: wire.timeoutSeconds,
    netmask: netmaskFrom(family, wire.netmask),
  };
  return {
    key: serviceKey(wire, family),
    settings:
      persistenceEngine === undefined
        ? settings
        : { ...settings, persistenceEngine },
  };
}

const SERVICE_NEEDS = [
  "family",
  "scheduler",
  "flags",
  "timeoutSeconds",
  "netmask",
] as const;

/**
 * Reads one message of a GET_DEST answer.
 *
 * @param serviceFamily before Linux 3.18 the kernel sent no family: it was always the service's
 * @throws {MalformedReply} naming what is missing or wrong
 */
export function readDestination(
  attributes: Span,
  serviceFamily: Family,
): DestinationEntry {
  const message = decode(MESSAGE, attributes);
  const { destination } = required(message, ["destination"]);
  const state = destinationFrom(destination, serviceFamily);
  return { ...state, stats: statsFrom(destination) };
}

/** The same without its counters. */
export function readUncountedDestination(
  attributes: Span,
  serviceFamily: Family,
): UncountedDestination {
  const message = decode(MESSAGE_WITHOUT_STATS, attributes);
  const { destination } = required(message, ["destination"]);
  return destinationFrom(destination, serviceFamily);
}

function destinationFrom(
  fields: DestinationFields,
  serviceFamily: Family,
): UncountedDestination {
  const wire = required(fields, DESTINATION_NEEDS);
  // Only now: the kernel sends the address before the family that says how to read it.
  const family = asFamily(wire.family ?? serviceFamily);
  return {
    key: { address: addressFrom(family, wire.address), port: wire.port },
    settings: {
      forwarding: wire.forwarding & FORWARDING_MASK,
      weight: wire.weight,
      tunnel: tunnelFrom(wire),
      upperThreshold: wire.upperThreshold ?? 0,
      lowerThreshold: wire.lowerThreshold ?? 0,
    },
    activeConnections: wire.activeConnections ?? 0,
    inactiveConnections: wire.inactiveConnections ?? 0,
    persistentConnections: wire.persistentConnections ?? 0,
  };
}

const DESTINATION_NEEDS = ["address", "port", "forwarding", "weight"] as const;

/** Before Linux 5.2 there was but one type. */
function tunnelFrom(wire: DestinationFields): Tunnel {
  const { tunnelType: type = 0, tunnelPort: port = 0, tunnelFlags = 0 } = wire;
  if (type === IPIP.type && port === 0 && tunnelFlags === 0) return IPIP;
  return { type, port, flags: tunnelFlags };
}

/** Reads one message of a GET_DAEMON answer. @throws {MalformedReply} naming what is missing or wrong */
export function readDaemon(attributes: Span): Daemon {
  const { daemon } = required(decode(MESSAGE, attributes), ["daemon"]);
  const wire = required(daemon, ["state", "multicastInterface", "syncId"]);
  if (wire.state !== MASTER && wire.state !== BACKUP)
    throw new MalformedReply(`a sync daemon has state ${wire.state}`, 0);
  const group = wire.multicastGroup ?? wire.multicastGroup6;
  return {
    state: wire.state,
    multicastInterface: wire.multicastInterface,
    syncId: wire.syncId,
    ...(wire.maximumLength !== undefined && {
      maximumLength: wire.maximumLength,
    }),
    ...(group && { multicastGroup: group.slice() }),
    ...(wire.multicastPort !== undefined && {
      multicastPort: wire.multicastPort,
    }),
    ...(wire.multicastTtl !== undefined && { multicastTtl: wire.multicastTtl }),
  };
}

/** Reads the answer to GET_CONFIG. @throws {MalformedReply} naming what is missing or wrong */
export function readTimeouts(attributes: Span): Timeouts {
  const { tcpSeconds, tcpFinSeconds, udpSeconds } = decode(MESSAGE, attributes);
  // A kernel without one of the protocols does not speak of it.
  return {
    tcpSeconds: tcpSeconds ?? 0,
    tcpFinSeconds: tcpFinSeconds ?? 0,
    udpSeconds: udpSeconds ?? 0,
  };
}

/** Reads the answer to GET_INFO. @throws {MalformedReply} naming what is missing or wrong */
export function readInfo(attributes: Span): Info {
  const { version, connectionTableSize } = required(decode(INFO, attributes), [
    "version",
    "connectionTableSize",
  ]);
  return { version, connectionTableSize };
}

function serviceKey(wire: ServiceFields, family: Family): ServiceKey {
  if (wire.firewallMark !== undefined)
    return { family, firewallMark: wire.firewallMark };
  const { protocol, address, port } = required(wire, [
    "protocol",
    "address",
    "port",
  ]);
  return {
    family,
    protocol: asProtocol(protocol),
    address: addressFrom(family, address),
    port,
  };
}

function asFamily(family: number): Family {
  if (family !== INET && family !== INET6)
    throw new MalformedReply(`address family ${family} is not known`, 0);
  return family;
}

function asProtocol(protocol: number): Protocol {
  if (protocol !== TCP && protocol !== UDP && protocol !== SCTP)
    throw new MalformedReply(`protocol ${protocol} is not known`, 0);
  return protocol;
}

/** A copy: what was read will be written over. */
function addressFrom(family: Family, wire: Uint8Array): Address {
  return wire.slice(0, family === INET ? 4 : 16);
}

function netmaskBytes(netmask: Netmask): Uint8Array {
  return typeof netmask === "number"
    ? Uint8Array.of(netmask, 0, 0, 0)
    : netmask;
}

function netmaskFrom(family: Family, wire: Uint8Array): Netmask {
  return family === INET
    ? addressFrom(INET, wire)
    : new DataView(wire.buffer, wire.byteOffset).getUint32(0, true);
}

/** The whole counters, and on kernels before 4.1 the ones that are cut. */
function statsFrom(wire: ServiceFields | DestinationFields): Stats {
  const { stats64, stats } = wire;
  return {
    ...required(stats64 ?? (stats ? decode(STATS, stats) : {}), COUNTERS),
  };
}

const COUNTERS = Object.keys(STATS64) as (keyof typeof STATS64)[];
