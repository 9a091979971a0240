import { INET6, type Address, type Family } from "../../ipvs/address.js";
import { serverSettings } from "../../ipvs/defaults.js";
import {
  DIRECT_ROUTING,
  MASQUERADING,
  type ServerKey,
  type ServiceKey,
} from "../../ipvs/model.js";
import type { ServerRule, ServiceRule } from "../../ipvs/table.js";
import { addressesBetween, MAXIMUM_ADDRESSES } from "../address-range.js";
import { ConfigurationBuilder } from "../configuration-builder.js";
import { ignoredPort } from "../ignored-port.js";
import type { NameLookups } from "../name-lookups.js";
import type { RuleFile } from "../rule-file.js";
import { HostResolver } from "./host-resolver.js";
import {
  parseSections,
  type Option,
  type Section,
  type Sections,
} from "./sections.js";
import {
  readMethod,
  readServerLine,
  splitHostAndPort,
  type ServerLine,
} from "./server-line.js";
import {
  familyOfSection,
  readServiceKey,
  readServiceSettings,
  settingPositions,
  yesOrNo,
  type LastOptions,
} from "./virtual-service.js";

/**
 * Reads the configuration of ldirectord: what it makes of the IPVS table while all checks succeed.
 *
 * The checks are ignored. Host names are looked up.
 *
 * @param text decoded
 * @see ldirectord(8)
 */
export async function readLdirectord(
  name: string,
  text: string,
  names: NameLookups,
): Promise<RuleFile> {
  const builder = new ConfigurationBuilder("ldirectord");
  const sections = parseSections(text, builder);
  const hosts = await HostResolver.lookUp(hostsOf(sections), names, builder);
  const globals = lastOptions(sections.globals);
  const reader = new SectionReader(globals, hosts, builder);
  for (const section of sections.virtuals) reader.add(section);
  return builder.build(name, text);
}

function lastOptions(options: readonly Option[]): LastOptions {
  return new Map(options.map((option) => [option.name, option]));
}

/** All hosts of a configuration, as names or addresses. */
function hostsOf({ globals, virtuals }: Sections): string[] {
  const options = [
    ...globals,
    ...virtuals.flatMap(({ virtual, options }) => [virtual, ...options]),
  ];
  return options.flatMap(({ name, value }) => {
    const [word = ""] = value.split(/\s/);
    switch (name) {
      case "virtual":
      case "fallback": {
        const host = splitHostAndPort(word)?.host;
        const isMark = name === "virtual" && /^[0-9]+$/.test(word);
        return host === undefined || isMark ? [] : [host];
      }
      case "real":
        return word
          .split("->")
          .flatMap((part) => splitHostAndPort(part)?.host ?? []);
      default:
        return [];
    }
  });
}

class SectionReader {
  readonly #globals: LastOptions;
  readonly #isQuiescent: boolean;
  readonly #hosts: HostResolver;
  readonly #builder: ConfigurationBuilder;

  constructor(
    globals: LastOptions,
    hosts: HostResolver,
    builder: ConfigurationBuilder,
  ) {
    this.#globals = globals;
    this.#hosts = hosts;
    this.#builder = builder;
    this.#isQuiescent = yesOrNo(globals.get("quiescent"), builder) ?? true;
  }

  add(section: Section): void {
    const builder = this.#builder;
    const errors = builder.errorCount;
    const options = lastOptions(section.options);
    const key = readServiceKey(section, options, this.#hosts, builder);
    if (!key) return;
    const settings = readServiceSettings(key, options, builder);
    const isQuiescent =
      yesOrNo(options.get("quiescent"), builder) ?? this.#isQuiescent;
    const servers: ServerRule[] = [];
    const service: ServiceRule = { key, settings, servers };
    this.#addFallback(service, section, options);
    const isInvalid = builder.errorCount > errors;
    const { at, valueAt } = section.virtual;
    const before = builder.errorCount;
    for (const option of section.options)
      if (/^real6?$/.test(option.name))
        servers.push(...this.#readServers(option, key));
    if (options.get("checktype")?.value !== "on")
      for (const server of servers)
        builder.addCheck(server, {
          failed: isQuiescent ? "weight-0" : "removed",
          setsWeight: false,
        });
    builder.addService(
      service,
      at,
      {
        ...settingPositions(options),
        service: valueAt,
        address: valueAt,
        port: valueAt,
      },
      builder.errorCount > before,
    );
    if (isInvalid) builder.markInvalid(service);
  }

  #readServers(option: Option, service: ServiceKey): ServerRule[] {
    const { family } = service;
    const builder = this.#builder;
    if (!this.#hasFamily(option, family)) return [];
    const line = readServerLine(option, builder);
    if (!line) return [];
    const addresses = this.#addressesOf(line, family);
    const port = this.#hosts.port(line.port ?? "0", undefined, line.parts.port);
    if (!addresses || port === undefined) return [];
    const { forwarding, weight, lowerThreshold, upperThreshold } = line;
    const kept = portOf(forwarding, port, service);
    if (line.port !== undefined && port !== 0 && port !== kept) {
      const { id, message } = ignoredPort(port, kept);
      builder.warn(
        line.parts.port,
        id,
        message,
        "only masq changes ports: write the port of the virtual service",
      );
    }
    return addresses.map((address) => {
      const rule: ServerRule = {
        key: { address, port: kept },
        settings: serverSettings({
          forwarding,
          weight,
          lowerThreshold,
          upperThreshold,
        }),
      };
      builder.locateServer(rule, option.at, line.parts);
      return rule;
    });
  }

  #addressesOf(
    { host, lastHost, parts }: ServerLine,
    family: Family,
  ): Address[] | undefined {
    const at = parts.address;
    const first = this.#hosts.address(host, family, at);
    if (!first || lastHost === undefined) return first && [first];
    if (family === INET6) {
      this.#builder.error(
        at,
        "form",
        "a range of IPv6 addresses is not possible",
        "write a line for each real server",
      );
      return undefined;
    }
    const last = this.#hosts.address(lastHost, family, at);
    if (!last) return undefined;
    const addresses = addressesBetween(first, last);
    if (!addresses)
      this.#builder.error(
        at,
        "form",
        "the range is empty or too long",
        `expected 1 to ${MAXIMUM_ADDRESSES} addresses, the lowest first`,
      );
    return addresses;
  }

  /** The options of IPv6 services end in 6. */
  #hasFamily({ name, at }: Option, family: Family): boolean {
    const expected = name.replace(/6$/, "") + (family === INET6 ? "6" : "");
    if (name === expected) return true;
    this.#builder.error(
      at,
      "form",
      `${name} does not belong to ${family === INET6 ? "virtual6" : "virtual"}`,
      `use ${expected}`,
    );
    return false;
  }

  #addFallback(
    service: ServiceRule,
    section: Section,
    options: LastOptions,
  ): void {
    const family = familyOfSection(section);
    const name = family === INET6 ? "fallback6" : "fallback";
    const other = options.get(family === INET6 ? "fallback" : "fallback6");
    if (other) this.#hasFamily(other, family);
    const option = options.get(name) ?? this.#globals.get(name);
    const key = option && this.#readFallback(option, service.key, family);
    if (key) this.#builder.addFallback(service, key);
  }

  /** Reads `HOST[:PORT] [METHOD]`. */
  #readFallback(
    { value, valueAt }: Option,
    service: ServiceKey,
    family: Family,
  ): ServerKey | undefined {
    const [endpoint = "", method] = value.split(/\s+/);
    const parts = splitHostAndPort(endpoint);
    if (!parts) {
      this.#builder.error(
        valueAt,
        "form",
        "malformed fallback",
        "expected HOST[:PORT] [METHOD]",
      );
      return undefined;
    }
    const forwarding =
      method === undefined
        ? DIRECT_ROUTING
        : readMethod(method, valueAt, this.#builder);
    const protocol = "protocol" in service ? service.protocol : undefined;
    const servicePort = "port" in service ? service.port : 0;
    const address = this.#hosts.address(parts.host, family, valueAt);
    const port =
      parts.port === undefined
        ? servicePort
        : this.#hosts.port(parts.port, protocol, valueAt);
    if (!address || port === undefined || forwarding === undefined)
      return undefined;
    return { address, port: portOf(forwarding, port, service) };
  }
}

/** Only masquerading changes ports. With a firewall mark, the port is kept, but has no effect. */
function portOf(forwarding: number, port: number, service: ServiceKey): number {
  return forwarding === MASQUERADING || "firewallMark" in service
    ? port
    : service.port;
}
