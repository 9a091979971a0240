import { decode, required, type Fields } from "../netlink/attributes.js";
import { MalformedReply } from "../netlink/errors.js";
import type { Span } from "../netlink/link.js";
import { familyOf, INET, INET6, type Address, type Family } from "./address.js";
import type { DAEMON, DESTINATION, SERVICE } from "./layouts.js";
import { INFO, MESSAGE, STATS, STATS64 } from "./layouts.js";
import {
  BACKUP,
  FORWARDING_MASK,
  MASTER,
  SCTP,
  TCP,
  UDP,
  type Daemon,
  type DestinationEntry,
  type DestinationKey,
  type DestinationSettings,
  type Info,
  type Netmask,
  type Protocol,
  type ServiceEntry,
  type ServiceKey,
  type ServiceSettings,
  type Stats,
  type Timeouts,
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
  const fields = serviceKeyFields(key);
  fields.scheduler = settings.scheduler;
  fields.persistenceEngine = settings.persistenceEngine;
  fields.flags = settings.flags;
  fields.timeoutSeconds = settings.timeoutSeconds;
  fields.netmask = netmaskBytes(settings.netmask);
  return fields;
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
  const fields = destinationKeyFields(key);
  fields.forwarding = settings.forwarding & FORWARDING_MASK;
  fields.weight = settings.weight;
  fields.tunnelType = settings.tunnel.type;
  fields.tunnelPort = settings.tunnel.port;
  fields.tunnelFlags = settings.tunnel.flags;
  fields.upperThreshold = settings.upperThreshold;
  fields.lowerThreshold = settings.lowerThreshold;
  return fields;
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
  const wire = required(service, [
    "family",
    "scheduler",
    "flags",
    "timeoutSeconds",
    "netmask",
  ]);
  const family = asFamily(wire.family);
  return {
    key: serviceKey(service, family),
    settings: {
      scheduler: wire.scheduler,
      ...(wire.persistenceEngine !== undefined && {
        persistenceEngine: wire.persistenceEngine,
      }),
      flags: wire.flags,
      timeoutSeconds: wire.timeoutSeconds,
      netmask: netmaskFrom(family, wire.netmask),
    },
    stats: statsFrom(service),
  };
}

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
  const { destination } = required(decode(MESSAGE, attributes), [
    "destination",
  ]);
  const wire = required(destination, [
    "address",
    "port",
    "forwarding",
    "weight",
  ]);
  // Only now: the kernel sends the address before the family that says how to read it.
  const family = asFamily(wire.family ?? serviceFamily);
  return {
    key: { address: addressFrom(family, wire.address), port: wire.port },
    settings: {
      forwarding: wire.forwarding & FORWARDING_MASK,
      weight: wire.weight,
      tunnel: {
        type: wire.tunnelType ?? 0,
        port: wire.tunnelPort ?? 0,
        flags: wire.tunnelFlags ?? 0,
      },
      upperThreshold: wire.upperThreshold ?? 0,
      lowerThreshold: wire.lowerThreshold ?? 0,
    },
    activeConnections: wire.activeConnections ?? 0,
    inactiveConnections: wire.inactiveConnections ?? 0,
    persistentConnections: wire.persistentConnections ?? 0,
    stats: statsFrom(destination),
  };
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
    ...(group && { multicastGroup: group }),
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

function addressFrom(family: Family, wire: Uint8Array): Address {
  return family === INET ? wire.slice(0, 4) : wire;
}

function netmaskBytes(netmask: Netmask): Uint8Array {
  return typeof netmask === "number"
    ? Uint8Array.of(netmask, 0, 0, 0)
    : netmask;
}

function netmaskFrom(family: Family, wire: Uint8Array): Netmask {
  return family === INET
    ? wire
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
