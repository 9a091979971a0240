import {
  familyOf,
  INET,
  INET6,
  parseAddress,
  parseIpv4,
  type Address,
  type Family,
} from "../ipvs/address.js";
import { serverSettings, serviceSettings } from "../ipvs/defaults.js";
import {
  ONE_PACKET,
  PERSISTENT,
  TCP,
  TUNNEL_IPIP,
  type Netmask,
  type ServerSettings,
  type ServiceKey,
  type ServiceSettings,
  type Tunnel,
} from "../ipvs/model.js";
import { schedulerFlag } from "../ipvs/scheduler-flags.js";
import type { ServerRule, ServiceRule } from "../ipvs/table.js";
import type { DocumentValue } from "./document-value.js";
import {
  CHECKSUMS,
  FAMILIES,
  FORWARDING,
  PROTOCOL_WORDS,
  TUNNELS,
} from "./enum-names.js";
import type { RuleLocations } from "./rule-locations.js";

/** Maximum lengths of names, in bytes. @see IP_VS_SCHEDNAME_MAXLEN, IP_VS_PENAME_MAXLEN in linux/ip_vs.h */
const SCHEDULER_BYTES = 15;
const ENGINE_BYTES = 16;

const U8 = 0xff;
const U16 = 0xffff;
const U32 = 0xffffffff;
/** Weights are signed in the kernel, and negative ones are refused. */
const MAXIMUM_WEIGHT = 0x7fffffff;

/** The persistence timeout of -p without a value. */
const DEFAULT_PERSISTENCE_SECONDS = 360;

/** Fields that `list` prints and that cannot be set. */
const READ_ONLY_OF_SERVICE = [
  "schema",
  "service",
  "name",
  "state",
  "effectiveWeight",
  "activeConnections",
  "inactiveConnections",
  "persistentConnections",
  "stats",
];
const READ_ONLY_OF_SERVER = [
  "server",
  "name",
  "state",
  "share",
  "activeConnections",
  "inactiveConnections",
  "persistentConnections",
  "stats",
];

/** Reads a service with its real servers. */
export function readService(
  item: DocumentValue,
  located: RuleLocations,
): ServiceRule {
  let list: DocumentValue | undefined;
  const servers: ServerRule[] = [];
  const service = located.read(item, () => {
    const fields = serviceFields(item);
    list = fields.servers;
    const key = readKey(fields);
    return { key, settings: readSettings(key, fields), servers };
  });
  const defaultPort = "port" in service.key ? service.key.port : 0;
  for (const server of list?.items() ?? [])
    servers.push(located.read(server, () => readServer(server, defaultPort)));
  return service;
}

function serviceFields(item: DocumentValue) {
  return item.fields(
    [
      "protocol",
      "address",
      "port",
      "family",
      "firewallMark",
      "scheduler",
      "schedulerFlags",
      "persistence",
      "onePacket",
      "otherFlags",
      "servers",
    ],
    READ_ONLY_OF_SERVICE,
  );
}

function readKey({
  protocol,
  address,
  port,
  family,
  firewallMark,
  persistence,
}: ReturnType<typeof serviceFields>): ServiceKey {
  if (firewallMark.exists) {
    for (const other of [protocol, address, port])
      if (other.exists)
        other.error("a service has either a firewall mark or an address");
    return {
      family: family.enumValue(FAMILIES, INET) ?? INET,
      firewallMark: firewallMark.integer(1, U32),
    };
  }
  const found = readAddress(address);
  const own = familyOf(found);
  if (family.exists && family.enumValue(FAMILIES) !== own)
    family.error(`the address is ${FAMILIES.word(own) ?? ""}`);
  return {
    family: own,
    protocol: protocol.enumValue(PROTOCOL_WORDS) ?? TCP,
    address: found,
    // Port 0, which is every port, needs persistence.
    port: port.integer(0, U16, persistence.exists ? 0 : undefined),
  };
}

export function readAddress(value: DocumentValue): Address {
  const found = value.parse("an IPv4 or IPv6 address", parseAddress);
  return found ?? new Uint8Array(4);
}

function readSettings(
  key: ServiceKey,
  fields: ReturnType<typeof serviceFields>,
): ServiceSettings {
  const { family } = key;
  const defaults = serviceSettings(key);
  const scheduler =
    fields.scheduler.name(SCHEDULER_BYTES) ?? defaults.scheduler;
  const flags =
    readSchedulerFlags(scheduler, fields.schedulerFlags) |
    (fields.onePacket.boolean(false) ? ONE_PACKET : 0) |
    fields.otherFlags.integer(0, U32, 0);
  const settings = { ...defaults, scheduler, flags: flags >>> 0 };
  if (!fields.persistence.exists) return settings;
  const persistence = fields.persistence.fields([
    "enabled",
    "timeoutSeconds",
    "netmask",
    "engine",
  ]);
  const enabled = persistence.enabled.boolean(true);
  const engine = persistence.engine.name(ENGINE_BYTES);
  return {
    ...settings,
    flags: (flags | (enabled ? PERSISTENT : 0)) >>> 0,
    timeoutSeconds: persistence.timeoutSeconds.integer(
      0,
      U32,
      enabled ? DEFAULT_PERSISTENCE_SECONDS : 0,
    ),
    netmask: readNetmask(family, persistence.netmask) ?? defaults.netmask,
    ...(engine !== undefined && { persistenceEngine: engine }),
  };
}

function readNetmask(
  family: Family,
  value: DocumentValue,
): Netmask | undefined {
  if (!value.exists) return undefined;
  return family === INET6
    ? value.integer(1, 128)
    : value.parse("an IPv4 netmask", parseIpv4);
}

function readSchedulerFlags(scheduler: string, list: DocumentValue): number {
  let flags = 0;
  for (const item of list.items()) {
    const flag = item.parse("the name of a scheduler flag", schedulerFlag);
    if (flag?.scheduler !== undefined && flag.scheduler !== scheduler)
      item.error(`this flag belongs to scheduler ${flag.scheduler}`);
    flags |= flag?.bit ?? 0;
  }
  return flags;
}

/** @param defaultPort the port of the service; 0 for a firewall mark */
function readServer(item: DocumentValue, defaultPort: number): ServerRule {
  const fields = item.fields(
    [
      "address",
      "port",
      "forwarding",
      "tunnel",
      "weight",
      "upperThreshold",
      "lowerThreshold",
    ],
    READ_ONLY_OF_SERVER,
  );
  const defaults = serverSettings();
  const settings: ServerSettings = {
    forwarding: fields.forwarding.enumValueOrNumber(
      FORWARDING,
      7,
      defaults.forwarding,
    ),
    weight: fields.weight.integer(0, MAXIMUM_WEIGHT, defaults.weight),
    tunnel: readTunnel(fields.tunnel),
    upperThreshold: fields.upperThreshold.integer(0, U32, 0),
    lowerThreshold: fields.lowerThreshold.integer(0, U32, 0),
  };
  return {
    key: {
      address: readAddress(fields.address),
      port: fields.port.integer(0, U16, defaultPort),
    },
    settings,
  };
}

function readTunnel(value: DocumentValue): Tunnel {
  if (!value.exists) return { type: TUNNEL_IPIP, port: 0, flags: 0 };
  const { type, port, checksum } = value.fields(["type", "port", "checksum"]);
  return {
    type: type.enumValueOrNumber(TUNNELS, U8, TUNNEL_IPIP),
    port: port.integer(0, U16, 0),
    flags: checksum.enumValueOrNumber(CHECKSUMS, U16, 0),
  };
}
