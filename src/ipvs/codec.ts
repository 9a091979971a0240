import {
  beginNested,
  decode,
  encode,
  endNested,
  put,
  required,
  type Fields,
} from "../netlink/attributes.js";
import { MalformedReply } from "../netlink/errors.js";
import type { Span } from "../netlink/link.js";
import type { Writer } from "../netlink/writer.js";
import { familyOf, INET, INET6, type Address, type Family } from "./address.js";
import type { DAEMON } from "./layouts.js";
import {
  DESTINATION,
  INFO,
  MESSAGE,
  MESSAGE_WITHOUT_STATS,
  SERVICE,
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
  type ServerEntry,
  type ServerKey,
  type ServerSettings,
  type ServerSummary,
  type Info,
  type Netmask,
  type Protocol,
  type ServiceEntry,
  type ServiceKey,
  type ServiceSettings,
  type ServiceSummary,
  type Stats,
  type Timeouts,
  type Tunnel,
} from "./model.js";

const [SERVICE_TYPE] = MESSAGE.service;
const [DESTINATION_TYPE] = MESSAGE.destination;

type ServiceFields = Fields<typeof SERVICE>;
type DestinationFields = Fields<typeof DESTINATION>;
type DaemonFields = Fields<typeof DAEMON>;

/** Encodes a service's identity, as the first attribute of a request. */
export function writeServiceKey(out: Writer, key: ServiceKey): void {
  const start = beginNested(out, SERVICE_TYPE);
  writeServiceKeyFields(out, key);
  endNested(out, start);
}

/** Encodes a service's identity and configuration. */
export function writeService(
  out: Writer,
  key: ServiceKey,
  settings: ServiceSettings,
): void {
  const { persistenceEngine } = settings;
  const start = beginNested(out, SERVICE_TYPE);
  writeServiceKeyFields(out, key);
  put(out, SERVICE.scheduler, settings.scheduler);
  if (persistenceEngine !== undefined)
    put(out, SERVICE.persistenceEngine, persistenceEngine);
  put(out, SERVICE.flags, settings.flags);
  put(out, SERVICE.timeoutSeconds, settings.timeoutSeconds);
  put(out, SERVICE.netmask, netmaskBytes(settings.netmask));
  endNested(out, start);
}

function writeServiceKeyFields(out: Writer, key: ServiceKey): void {
  put(out, SERVICE.family, key.family);
  if ("firewallMark" in key) {
    put(out, SERVICE.firewallMark, key.firewallMark);
    return;
  }
  put(out, SERVICE.protocol, key.protocol);
  put(out, SERVICE.address, key.address);
  put(out, SERVICE.port, key.port);
}

/** Encodes a real server's identity, as the second attribute of a request. */
export function writeDestinationKey(out: Writer, key: ServerKey): void {
  const start = beginNested(out, DESTINATION_TYPE);
  writeDestinationKeyFields(out, key);
  endNested(out, start);
}

/** Encodes a real server's identity and configuration. */
export function writeDestination(
  out: Writer,
  key: ServerKey,
  settings: ServerSettings,
): void {
  const { tunnel } = settings;
  const start = beginNested(out, DESTINATION_TYPE);
  writeDestinationKeyFields(out, key);
  put(out, DESTINATION.forwarding, settings.forwarding & FORWARDING_MASK);
  put(out, DESTINATION.weight, settings.weight);
  put(out, DESTINATION.tunnelType, tunnel.type);
  put(out, DESTINATION.tunnelPort, tunnel.port);
  put(out, DESTINATION.tunnelFlags, tunnel.flags);
  put(out, DESTINATION.upperThreshold, settings.upperThreshold);
  put(out, DESTINATION.lowerThreshold, settings.lowerThreshold);
  endNested(out, start);
}

function writeDestinationKeyFields(out: Writer, key: ServerKey): void {
  put(out, DESTINATION.family, familyOf(key.address));
  put(out, DESTINATION.address, key.address);
  put(out, DESTINATION.port, key.port);
}

/** Encodes a sync daemon. */
export function writeDaemon(out: Writer, daemon: Daemon): void {
  const { multicastGroup, ...rest } = daemon;
  const fields: DaemonFields = { ...rest };
  if (multicastGroup?.length === 4) fields.multicastGroup = multicastGroup;
  else fields.multicastGroup6 = multicastGroup;
  encode(MESSAGE, out, { daemon: fields });
}

/**
 * Decodes one message of a reply to GET_SERVICE.
 *
 * @throws {MalformedReply} if a field is missing or wrong; the error names it
 */
export function readService(attributes: Span): ServiceEntry {
  const { service } = required(decode(MESSAGE, attributes), ["service"]);
  const { key, settings } = serviceFrom(service);
  return { key, settings, stats: statsFrom(service) };
}

/** Decodes one message of a reply to GET_SERVICE without the counters. */
export function readServiceSummary(attributes: Span): ServiceSummary {
  const message = decode(MESSAGE_WITHOUT_STATS, attributes);
  return serviceFrom(required(message, ["service"]).service);
}

function serviceFrom(fields: ServiceFields): ServiceSummary {
  const wire = required(fields, REQUIRED_SERVICE_FIELDS);
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

const REQUIRED_SERVICE_FIELDS = [
  "family",
  "scheduler",
  "flags",
  "timeoutSeconds",
  "netmask",
] as const;

/**
 * Decodes one message of a reply to GET_DEST.
 *
 * @param serviceFamily used if the message has no family: kernels before 3.18 send none, and
 *   servers had the service's family
 * @throws {MalformedReply} if a field is missing or wrong; the error names it
 */
export function readDestination(
  attributes: Span,
  serviceFamily: Family,
): ServerEntry {
  const message = decode(MESSAGE, attributes);
  const { destination } = required(message, ["destination"]);
  const state = destinationFrom(destination, serviceFamily);
  return { ...state, stats: statsFrom(destination) };
}

/** Decodes one message of a reply to GET_DEST without the counters. */
export function readDestinationSummary(
  attributes: Span,
  serviceFamily: Family,
): ServerSummary {
  const message = decode(MESSAGE_WITHOUT_STATS, attributes);
  const { destination } = required(message, ["destination"]);
  return destinationFrom(destination, serviceFamily);
}

function destinationFrom(
  fields: DestinationFields,
  serviceFamily: Family,
): ServerSummary {
  const wire = required(fields, REQUIRED_DESTINATION_FIELDS);
  // The kernel sends the address before its family, so the address is interpreted after decoding.
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

const REQUIRED_DESTINATION_FIELDS = [
  "address",
  "port",
  "forwarding",
  "weight",
] as const;

/** Kernels before 5.2 know only IPIP, and send no type. */
function tunnelFrom(wire: DestinationFields): Tunnel {
  const { tunnelType: type = 0, tunnelPort: port = 0, tunnelFlags = 0 } = wire;
  if (type === IPIP.type && port === 0 && tunnelFlags === 0) return IPIP;
  return { type, port, flags: tunnelFlags };
}

/**
 * Decodes one message of a reply to GET_DAEMON.
 *
 * @throws {MalformedReply} if a field is missing or wrong; the error names it
 */
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

/** Decodes the reply to GET_CONFIG. @throws {MalformedReply} if the attributes are malformed */
export function readTimeouts(attributes: Span): Timeouts {
  const { tcpSeconds, tcpFinSeconds, udpSeconds } = decode(MESSAGE, attributes);
  // A kernel built without TCP or UDP support does not send its timeouts.
  return {
    tcpSeconds: tcpSeconds ?? 0,
    tcpFinSeconds: tcpFinSeconds ?? 0,
    udpSeconds: udpSeconds ?? 0,
  };
}

/**
 * Decodes the reply to GET_INFO.
 *
 * @throws {MalformedReply} if a field is missing or wrong; the error names it
 */
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

/** Copies an address, because the next message overwrites the decoded bytes. */
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

/** The 64-bit counters; kernels before 4.1 send only the truncated ones. */
function statsFrom(wire: ServiceFields | DestinationFields): Stats {
  const { stats64, stats } = wire;
  return {
    ...required(stats64 ?? (stats ? decode(STATS, stats) : {}), COUNTERS),
  };
}

const COUNTERS = Object.keys(STATS64) as (keyof typeof STATS64)[];
