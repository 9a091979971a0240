import {
  familyOf,
  INET,
  INET6,
  parseAddress,
  parseIpv4,
  type Address,
  type Family,
} from "../ipvs/address.js";
import {
  ONE_PACKET,
  PERSISTENT,
  TCP,
  TUNNEL_IPIP,
  type Daemon,
  type ServerSettings,
  type Netmask,
  type ServiceKey,
  type ServiceSettings,
  type Timeouts,
  type Tunnel,
} from "../ipvs/model.js";
import { serverSettings, serviceSettings } from "../ipvs/defaults.js";
import { schedulerFlag } from "../ipvs/scheduler-flags.js";
import type { ServerRule, ServiceRule, Table } from "../ipvs/table.js";
import { ErrorCollector, type DocumentValue } from "./document-value.js";
import { foreignFormat } from "./foreign-document.js";
import {
  MalformedDocument,
  type DocumentError,
  type ParsedDocument,
} from "./parsed-document.js";
import { TABLE_SCHEMA } from "./schema.js";
import {
  CHECKSUMS,
  FAMILIES,
  FORWARDING,
  PROTOCOL_WORDS,
  ROLES,
  TUNNELS,
} from "./enum-names.js";

/*
 * Reads a document into the model: everything that write-table.ts writes. What is left out has the default of the
 * classic options. Fields that cannot be set, such as counters, are ignored.
 */

/** Maximum lengths of names, in bytes. @see IP_VS_SCHEDNAME_MAXLEN, IP_VS_PENAME_MAXLEN, IP_VS_IFNAME_MAXLEN in linux/ip_vs.h */
const SCHEDULER_BYTES = 15;
const ENGINE_BYTES = 16;
const INTERFACE_BYTES = 15;

const U8 = 0xff;
const U16 = 0xffff;
const U32 = 0xffffffff;
/** Weights are signed in the kernel, and negative ones are refused. */
const MAXIMUM_WEIGHT = 0x7fffffff;

/** The persistence timeout of -p without a value. */
const DEFAULT_PERSISTENCE_SECONDS = 360;

/** Fields that `list` prints and that cannot be set. */
const READ_ONLY_OF_TABLE = ["totals"];
const READ_ONLY_OF_SERVICE = [
  "schema",
  "name",
  "state",
  "effectiveWeight",
  "stats",
];
const READ_ONLY_OF_SERVER = [
  "name",
  "state",
  "share",
  "activeConnections",
  "inactiveConnections",
  "persistentConnections",
  "stats",
];

/** An object of the model that has a position in the document. */
export type Rule = ServiceRule | ServerRule | Daemon | Timeouts;

/** A table, and the values of the document that describe it. */
export interface LocatedTable {
  readonly table: Table;
  readonly values: ReadonlyMap<Rule, DocumentValue>;
}

/** The table that a document describes, with all errors. */
export interface TableReading extends LocatedTable {
  /** In the order of the text */
  readonly errors: readonly DocumentError[];
  /** Rules with an error, which contain harmless values instead. An error of a real server does not count for its service. */
  readonly invalid: ReadonlySet<Rule>;
  /** The field that says that the table is incomplete, if it does */
  readonly partial?: DocumentValue;
}

/**
 * Reads the table that a document describes. Counters, states and host names are ignored, because they cannot be set.
 *
 * @throws {MalformedDocument} with all errors, in the order of the text
 */
export function readTable(document: ParsedDocument): LocatedTable {
  const reading = readTableWithErrors(document);
  if (reading.errors.length > 0) throw new MalformedDocument(reading.errors);
  return reading;
}

/** The same, but returns the errors, and what could be read of the table. */
export function readTableWithErrors(document: ParsedDocument): TableReading {
  const errors = new ErrorCollector(document);
  const located = new RuleLocations(errors);
  const { root } = errors;
  const fields = root.fields(
    ["schema", "partial", "services", "timeouts", "daemons"],
    READ_ONLY_OF_TABLE,
  );
  fields.schema.parse(JSON.stringify(TABLE_SCHEMA), (text) =>
    text === TABLE_SCHEMA ? text : undefined,
  );
  const hasSchema = errors.count === 0;
  const services = fields.services
    .items()
    .map((item) => readService(item, located));
  if (!fields.services.exists) fields.services.expected("a list");
  const partial = fields.partial.boolean(false);
  const table: Table = {
    ...(partial && { partial }),
    services,
    ...(fields.timeouts.exists && {
      timeouts: located.read(fields.timeouts, () =>
        readTimeouts(fields.timeouts),
      ),
    }),
    ...(fields.daemons.exists && {
      daemons: fields.daemons
        .items()
        .map((item) => located.read(item, () => readDaemon(item))),
    }),
  };
  const foreign = hasSchema ? undefined : foreignFormat(document.root);
  if (foreign) {
    errors.replaceAll({ path: "", offset: root.offset, ...foreign });
    return { ...NO_TABLE, errors: errors.errors };
  }
  const { values, invalid } = located;
  return {
    table,
    values,
    invalid,
    errors: errors.errors,
    ...(partial && { partial: fields.partial }),
  };
}

/** The reading of a text that is not a table. */
export const NO_TABLE: TableReading = {
  table: { services: [] },
  values: new Map(),
  errors: [],
  invalid: new Set(),
};

/** Records the value of each rule, and whether it has errors. */
class RuleLocations {
  readonly #errors: ErrorCollector;
  readonly values = new Map<Rule, DocumentValue>();
  readonly invalid = new Set<Rule>();

  constructor(errors: ErrorCollector) {
    this.#errors = errors;
  }

  /** Reads a rule from a value. */
  read<R extends Rule>(value: DocumentValue, read: () => R): R {
    const before = this.#errors.count;
    const rule = read();
    this.values.set(rule, value);
    if (this.#errors.count > before) this.invalid.add(rule);
    return rule;
  }
}

function readService(item: DocumentValue, located: RuleLocations): ServiceRule {
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

function readAddress(value: DocumentValue): Address {
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

function readTimeouts(value: DocumentValue): Timeouts {
  const { tcpSeconds, tcpFinSeconds, udpSeconds } = value.fields([
    "tcpSeconds",
    "tcpFinSeconds",
    "udpSeconds",
  ]);
  return {
    tcpSeconds: tcpSeconds.integer(0, U32, 0),
    tcpFinSeconds: tcpFinSeconds.integer(0, U32, 0),
    udpSeconds: udpSeconds.integer(0, U32, 0),
  };
}

function readDaemon(item: DocumentValue): Daemon {
  const fields = item.fields([
    "role",
    "interface",
    "syncId",
    "maximumLength",
    "group",
    "port",
    "ttl",
  ]);
  const name = fields.interface.name(INTERFACE_BYTES);
  if (!fields.interface.exists)
    fields.interface.expected("the name of an interface");
  return {
    state: fields.role.enumValue(ROLES) ?? 1,
    // The model's text has one character per byte.
    multicastInterface: Buffer.from(name ?? "").toString("latin1"),
    syncId: fields.syncId.integer(0, U8, 0),
    ...(fields.maximumLength.exists && {
      maximumLength: fields.maximumLength.integer(0, U16),
    }),
    ...(fields.group.exists && { multicastGroup: readAddress(fields.group) }),
    ...(fields.port.exists && { multicastPort: fields.port.integer(0, U16) }),
    ...(fields.ttl.exists && { multicastTtl: fields.ttl.integer(0, U8) }),
  };
}
