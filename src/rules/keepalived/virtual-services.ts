import {
  familyOf,
  INET,
  INET6,
  parseIpv4,
  type Address,
  type Family,
} from "../../ipvs/address.js";
import { serverSettings, serviceSettings } from "../../ipvs/defaults.js";
import {
  MASQUERADING,
  ONE_PACKET,
  PERSISTENT,
  TUNNELING,
  UDP,
  type Netmask,
  type ServerKey,
  type ServiceKey,
  type ServiceSettings,
} from "../../ipvs/model.js";
import type { ServerRule, ServiceRule } from "../../ipvs/table.js";
import type {
  ConfigurationBuilder,
  PartPositions,
  SourcePosition,
} from "../configuration-builder.js";
import { ignoredPort } from "../ignored-port.js";
import { NAT, type ForwardingMethod } from "./forwarding-method.js";
import type { RealServer } from "./real-server.js";
import { parseNumber } from "./statement-reader.js";
import type { VirtualServer } from "./virtual-server.js";

/** What a virtual_server stands for: one entry, or all entries of its group. */
export type Entry =
  | {
      readonly address: Address;
      readonly port: number;
      readonly at: SourcePosition;
    }
  | {
      readonly firewallMark: number;
      /** Undefined if the real servers decide */
      readonly family: Family | undefined;
      readonly at: SourcePosition;
    };

/** A service on all ports must be persistent; this is its timeout if the configuration has none. */
const DEFAULT_TIMEOUT_SECONDS = 360;

/**
 * Adds the services of a virtual_server.
 *
 * @param isGroup whether the entries are those of a group
 */
export function addServices(
  server: VirtualServer,
  entries: readonly Entry[],
  isGroup: boolean,
  builder: ConfigurationBuilder,
): void {
  if (server.servers.length === 0 && !server.isIncomplete) {
    builder.warn(
      server.at,
      "no-servers",
      "the virtual_server has no real servers: keepalived ignores it",
      "add a real_server, or remove the block",
    );
    return;
  }
  const needsProtocol = entries.some((entry) => "address" in entry);
  if (needsProtocol && server.protocol === undefined)
    builder.warn(
      server.at,
      "no-protocol",
      "the virtual_server has no protocol: keepalived uses UDP",
      "add protocol TCP, UDP or SCTP",
    );
  if (
    needsProtocol &&
    server.flags & ONE_PACKET &&
    (server.protocol ?? UDP) !== UDP
  )
    builder.warn(
      server.parts["onePacket"] ?? server.at,
      "one-packet-without-udp",
      "one-packet scheduling works only with UDP: keepalived ignores it",
      "remove ops",
    );
  if (entries.some((entry) => "address" in entry && entry.port === 0))
    server.timeoutSeconds ||= DEFAULT_TIMEOUT_SECONDS;
  const maker = new ServiceMaker(server, isGroup, builder);
  entries.forEach((entry, i) => {
    maker.add(entry, i === 0);
  });
}

class ServiceMaker {
  readonly #server: VirtualServer;
  readonly #isGroup: boolean;
  readonly #builder: ConfigurationBuilder;

  constructor(
    server: VirtualServer,
    isGroup: boolean,
    builder: ConfigurationBuilder,
  ) {
    this.#server = server;
    this.#isGroup = isGroup;
    this.#builder = builder;
  }

  /** @param isFirst whether to report what is the same for all entries of a group */
  add(entry: Entry, isFirst: boolean): void {
    const { servers: drafts, sorryServer, isInvalid } = this.#server;
    const builder = this.#builder;
    const errors = builder.errorCount;
    const key = this.#key(entry);
    const settings = this.#settings(key, isFirst);
    const servers: ServerRule[] = [];
    const service: ServiceRule = { key, settings, servers };
    builder.addService(
      service,
      this.#server.at,
      this.#parts(entry),
      this.#server.isIncomplete,
    );
    for (const draft of drafts)
      servers.push(this.#addServer(draft, key, isFirst));
    if (sorryServer)
      builder.addFallback(service, this.#serverKey(sorryServer, key));
    if (isInvalid || builder.errorCount > errors) builder.markInvalid(service);
  }

  #key(entry: Entry): ServiceKey {
    if ("firewallMark" in entry)
      return {
        family: entry.family ?? familyOfServers(this.#server),
        firewallMark: entry.firewallMark,
      };
    const { address, port } = entry;
    const protocol = this.#server.protocol ?? UDP;
    return { family: familyOf(address), protocol, address, port };
  }

  #settings(key: ServiceKey, isFirst: boolean): ServiceSettings {
    const { scheduler, flags, engine, timeoutSeconds } = this.#server;
    const isOnePacket = "firewallMark" in key || key.protocol === UDP;
    const effective = isOnePacket ? flags : flags & ~ONE_PACKET;
    if (timeoutSeconds === 0)
      return serviceSettings(key, { scheduler, flags: effective });
    const netmask = this.#netmask(key.family, isFirst);
    return serviceSettings(key, {
      scheduler,
      flags: effective | PERSISTENT,
      timeoutSeconds,
      ...(netmask !== undefined && { netmask }),
      ...(engine !== undefined && { persistenceEngine: engine }),
    });
  }

  #netmask(family: Family, isFirst: boolean): Netmask | undefined {
    const { granularity } = this.#server;
    if (!granularity) return undefined;
    const { text, at } = granularity;
    const mask = family === INET6 ? parseNumber(text, 1, 128) : parseIpv4(text);
    if (mask === undefined && isFirst)
      this.#builder.error(
        at,
        "form",
        `"${text}": expected ${family === INET6 ? "a prefix length from 1 to 128" : "an IPv4 netmask"}`,
      );
    return mask;
  }

  #parts(entry: Entry): PartPositions {
    const { at } = entry;
    return { ...this.#server.parts, service: at, address: at, port: at };
  }

  #addServer(draft: RealServer, service: ServiceKey, isFirst: boolean) {
    const { weight, inhibit } = this.#server;
    const { upperThreshold, lowerThreshold } = draft;
    const key = this.#serverKey(draft, service);
    const rule: ServerRule = {
      key,
      settings: serverSettings({
        ...this.#methodOf(draft),
        weight: draft.weight ?? weight,
        upperThreshold,
        lowerThreshold,
      }),
    };
    this.#builder.locateServer(rule, draft.at, draft.parts);
    if (draft.isInvalid) this.#builder.markInvalid(rule);
    if (draft.isChecked)
      this.#builder.addCheck(rule, {
        failed: (draft.inhibit ?? inhibit) ? "weight-0" : "removed",
        setsWeight: draft.hasDynamicWeight,
      });
    if (isFirst && draft.port !== undefined && draft.port !== key.port) {
      const { id, message } = ignoredPort(draft.port, key.port);
      this.#builder.warn(
        draft.parts.port ?? draft.at,
        id,
        message,
        "only lvs_method NAT changes ports: write the port of the virtual_server",
      );
    }
    return rule;
  }

  #methodOf({ method }: RealServer): ForwardingMethod {
    return method ?? this.#server.method ?? NAT;
  }

  /**
   * Only masquerading changes the port, so keepalived replaces any other port by the service's. A masqueraded server
   * without a port has the port of the virtual_server, but not that of a group's entry.
   */
  #serverKey(draft: RealServer, service: ServiceKey): ServerKey {
    const { address, port } = draft;
    const servicePort = "port" in service ? service.port : 0;
    if (this.#methodOf(draft).forwarding !== MASQUERADING)
      return { address, port: servicePort };
    return { address, port: port ?? (this.#isGroup ? 0 : servicePort) };
  }
}

/**
 * The address family of a firewall mark. Tunneled servers decide only if there are no others.
 *
 * @see keepalived.conf(5), "LVS CONFIGURATION"
 */
function familyOfServers(server: VirtualServer): Family {
  const { family, granularity, sorryServer } = server;
  if (family !== undefined) return family;
  if (granularity) return granularity.text.includes(".") ? INET : INET6;
  const all = [...server.servers, ...(sorryServer ? [sorryServer] : [])];
  const isTunneled = ({ method }: RealServer) =>
    (method ?? server.method ?? NAT).forwarding === TUNNELING;
  const direct = all.find((one) => !isTunneled(one));
  if (direct) return familyOf(direct.address);
  const families = new Set(all.map(({ address }) => familyOf(address)));
  const [common = INET] = families;
  return families.size === 1 ? common : INET;
}
