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
  wholeNetmask,
} from "../ipvs/model.js";
import { schedulerFlag } from "../ipvs/scheduler-flags.js";
import { Findings, type Cursor } from "./document-value.js";
import type { ServerRule, ServiceRule, Table } from "../ipvs/table.js";
import { TABLE_SCHEMA } from "./schema.js";
import { MalformedDocument, type Fault, type Tree } from "./parsed-document.js";
import {
  CHECKSUMS,
  FAMILIES,
  FORWARDING,
  PROTOCOL_WORDS,
  ROLES,
  TUNNELS,
} from "./enum-names.js";

/* What a document says, as the model: all that write.ts writes, but for what cannot be set. */

/** Longest names, in bytes. @see IP_VS_SCHEDNAME_MAXLEN, IP_VS_PENAME_MAXLEN, IP_VS_IFNAME_MAXLEN in linux/ip_vs.h */
const SCHEDULER_BYTES = 15;
const ENGINE_BYTES = 16;
const INTERFACE_BYTES = 15;

const U8 = 0xff;
const U16 = 0xffff;
const U32 = 0xffffffff;
/** The kernel has weights with a sign, and refuses those below 0. */
const HEAVIEST = 0x7fffffff;

/** Members that tell how things were. */
const TOLD_OF_TABLE = ["totals"];
const TOLD_OF_SERVICE = ["schema", "name", "state", "effectiveWeight", "stats"];
const TOLD_OF_SERVER = [
  "name",
  "state",
  "share",
  "activeConnections",
  "inactiveConnections",
  "persistentConnections",
  "stats",
];

/** What has a place of its own in a document. */
export type Rule = ServiceRule | ServerRule | Daemon | Timeouts;

/** A table, and where in the text it says so. */
export interface ReadTable {
  readonly table: Table;
  /** The values that say it; their `at` is where they begin, of which `placeOf` makes line and column */
  readonly places: ReadonlyMap<Rule, Cursor>;
}

/** A table as far as a document says it, with all that is wrong. */
export interface TableReading extends ReadTable {
  /** In the order of the text */
  readonly faults: readonly Fault[];
  /** What is wrong in itself, and has something harmless where it is; a service's real servers stand for themselves */
  readonly invalid: ReadonlySet<Rule>;
  /** The value that says that the table is only a part of one, if it is */
  readonly partial?: Cursor;
}

/**
 * Reads the table that a document describes. Counters, states and names of hosts are passed over, as nobody can set
 * them.
 *
 * @throws {MalformedDocument} with all that is wrong, in the order of the text
 */
export function readTable(tree: Tree): ReadTable {
  const examined = readTableWithErrors(tree);
  if (examined.faults.length > 0) throw new MalformedDocument(examined.faults);
  return examined;
}

/** The same, for those who want to look at a table with faults, too. */
export function readTableWithErrors(tree: Tree): TableReading {
  const findings = new Findings(tree);
  const register = new Register(findings);
  const root = findings.root.members(
    ["schema", "partial", "services", "timeouts", "daemons"],
    TOLD_OF_TABLE,
  );
  root.schema.read(JSON.stringify(TABLE_SCHEMA), (text) =>
    text === TABLE_SCHEMA ? text : undefined,
  );
  const services = root.services
    .items()
    .map((item) => readService(item, register));
  if (!root.services.there)
    root.services.fault("it is missing: a list is wanted");
  const partial = root.partial.flag(false);
  const table: Table = {
    ...(partial && { partial }),
    services,
    ...(root.timeouts.there && {
      timeouts: register.read(root.timeouts, () => readTimeouts(root.timeouts)),
    }),
    ...(root.daemons.there && {
      daemons: root.daemons
        .items()
        .map((item) => register.read(item, () => readDaemon(item))),
    }),
  };
  const { places, invalid } = register;
  return {
    table,
    places,
    invalid,
    faults: findings.faults,
    ...(partial && { partial: root.partial }),
  };
}

/** Keeps where each rule stands, and whether it is sound. */
class Register {
  readonly #findings: Findings;
  readonly places = new Map<Rule, Cursor>();
  readonly invalid = new Set<Rule>();

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  /** Reads a rule. */
  read<R extends Rule>(item: Cursor, read: () => R): R {
    const before = this.#findings.count;
    const rule = read();
    this.places.set(rule, item);
    if (this.#findings.count > before) this.invalid.add(rule);
    return rule;
  }
}

function readService(item: Cursor, register: Register): ServiceRule {
  let list: Cursor | undefined;
  const servers: ServerRule[] = [];
  const service = register.read(item, () => {
    const member = serviceMembers(item);
    list = member.servers;
    const key = readKey(member);
    return { key, settings: readSettings(key.family, member), servers };
  });
  for (const server of list?.items() ?? [])
    servers.push(register.read(server, () => readServer(server)));
  return service;
}

function serviceMembers(item: Cursor) {
  return item.members(
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
    TOLD_OF_SERVICE,
  );
}

function readKey(
  member: Readonly<
    Record<"protocol" | "address" | "port" | "family" | "firewallMark", Cursor>
  >,
): ServiceKey {
  const { protocol, address, port, family, firewallMark } = member;
  if (firewallMark.there) {
    for (const other of [protocol, address, port])
      if (other.there)
        other.fault("a service has either a firewall mark or an address");
    return {
      family: family.word(FAMILIES, INET) ?? INET,
      firewallMark: firewallMark.whole(1, U32),
    };
  }
  const found = readAddress(address);
  const own = familyOf(found);
  if (family.there && family.word(FAMILIES) !== own)
    family.fault(`the address is of ${FAMILIES.word(own) ?? ""}`);
  return {
    family: own,
    protocol: protocol.word(PROTOCOL_WORDS) ?? TCP,
    address: found,
    port: port.whole(0, U16),
  };
}

function readAddress(cursor: Cursor): Address {
  const found = cursor.read("an IPv4 or IPv6 address", parseAddress);
  return found ?? new Uint8Array(4);
}

function readSettings(
  family: Family,
  member: Readonly<
    Record<
      | "scheduler"
      | "schedulerFlags"
      | "persistence"
      | "onePacket"
      | "otherFlags",
      Cursor
    >
  >,
): ServiceSettings {
  const scheduler = member.scheduler.text(SCHEDULER_BYTES);
  if (!member.scheduler.there)
    member.scheduler.fault("it is missing: the name of a scheduler is wanted");
  const flags =
    readSchedulerFlags(scheduler ?? "", member.schedulerFlags) |
    (member.onePacket.flag(false) ? ONE_PACKET : 0) |
    member.otherFlags.whole(0, U32, 0);
  const every = wholeNetmask(family);
  const settings = { scheduler: scheduler ?? "", flags: flags >>> 0 };
  if (!member.persistence.there)
    return { ...settings, timeoutSeconds: 0, netmask: every };
  const persistence = member.persistence.members([
    "enabled",
    "timeoutSeconds",
    "netmask",
    "engine",
  ]);
  const enabled = persistence.enabled.flag(true);
  const engine = persistence.engine.text(ENGINE_BYTES);
  return {
    ...settings,
    flags: (flags | (enabled ? PERSISTENT : 0)) >>> 0,
    timeoutSeconds: persistence.timeoutSeconds.whole(
      0,
      U32,
      enabled ? undefined : 0,
    ),
    netmask: readNetmask(family, persistence.netmask) ?? every,
    ...(engine !== undefined && { persistenceEngine: engine }),
  };
}

function readNetmask(family: Family, cursor: Cursor): Netmask | undefined {
  if (!cursor.there) return undefined;
  return family === INET6
    ? cursor.whole(1, 128)
    : cursor.read("an IPv4 netmask", parseIpv4);
}

function readSchedulerFlags(scheduler: string, list: Cursor): number {
  let flags = 0;
  for (const item of list.items()) {
    const flag = item.read("the name of a scheduler's flag", schedulerFlag);
    if (flag?.scheduler !== undefined && flag.scheduler !== scheduler)
      item.fault(`this is a flag of scheduler ${flag.scheduler}`);
    flags |= flag?.bit ?? 0;
  }
  return flags;
}

function readServer(item: Cursor): ServerRule {
  const member = item.members(
    [
      "address",
      "port",
      "forwarding",
      "tunnel",
      "weight",
      "upperThreshold",
      "lowerThreshold",
    ],
    TOLD_OF_SERVER,
  );
  const settings: ServerSettings = {
    forwarding: member.forwarding.wordOrNumber(FORWARDING, 7),
    weight: member.weight.whole(0, HEAVIEST),
    tunnel: readTunnel(member.tunnel),
    upperThreshold: member.upperThreshold.whole(0, U32, 0),
    lowerThreshold: member.lowerThreshold.whole(0, U32, 0),
  };
  return {
    key: {
      address: readAddress(member.address),
      port: member.port.whole(0, U16),
    },
    settings,
  };
}

function readTunnel(cursor: Cursor): Tunnel {
  if (!cursor.there) return { type: TUNNEL_IPIP, port: 0, flags: 0 };
  const { type, port, checksum } = cursor.members(["type", "port", "checksum"]);
  return {
    type: type.wordOrNumber(TUNNELS, U8, TUNNEL_IPIP),
    port: port.whole(0, U16, 0),
    flags: checksum.wordOrNumber(CHECKSUMS, U16, 0),
  };
}

function readTimeouts(cursor: Cursor): Timeouts {
  const { tcpSeconds, tcpFinSeconds, udpSeconds } = cursor.members([
    "tcpSeconds",
    "tcpFinSeconds",
    "udpSeconds",
  ]);
  return {
    tcpSeconds: tcpSeconds.whole(0, U32),
    tcpFinSeconds: tcpFinSeconds.whole(0, U32),
    udpSeconds: udpSeconds.whole(0, U32),
  };
}

function readDaemon(item: Cursor): Daemon {
  const member = item.members([
    "role",
    "interface",
    "syncId",
    "maximumLength",
    "group",
    "port",
    "ttl",
  ]);
  const name = member.interface.text(INTERFACE_BYTES);
  if (!member.interface.there)
    member.interface.fault("it is missing: the name of an interface is wanted");
  return {
    state: member.role.word(ROLES) ?? 1,
    // Text of the model is one character a byte.
    multicastInterface: Buffer.from(name ?? "").toString("latin1"),
    syncId: member.syncId.whole(0, U8),
    ...(member.maximumLength.there && {
      maximumLength: member.maximumLength.whole(0, U16),
    }),
    ...(member.group.there && { multicastGroup: readAddress(member.group) }),
    ...(member.port.there && { multicastPort: member.port.whole(0, U16) }),
    ...(member.ttl.there && { multicastTtl: member.ttl.whole(0, U8) }),
  };
}
