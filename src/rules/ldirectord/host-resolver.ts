import {
  INET6,
  parseIpv4,
  parseIpv6,
  type Address,
  type Family,
} from "../../ipvs/address.js";
import { TCP, UDP, type Protocol } from "../../ipvs/model.js";
import type { ConfigurationBuilder } from "../configuration-builder.js";
import { HostLookups } from "../host-lookup.js";
import type { NameLookups } from "../name-lookups.js";
import type { Position } from "../rule-file.js";

/** Reads addresses and ports that may be names. */
export class HostResolver {
  readonly #builder: ConfigurationBuilder;
  readonly #lookups: HostLookups;

  private constructor(builder: ConfigurationBuilder, lookups: HostLookups) {
    this.#builder = builder;
    this.#lookups = lookups;
  }

  /** Looks up all host names. @param hosts names and addresses */
  static async lookUp(
    hosts: readonly string[],
    names: NameLookups,
    builder: ConfigurationBuilder,
  ): Promise<HostResolver> {
    const lookups = new HostLookups(names);
    await lookups.lookUp(new Set(hosts.filter(isName)));
    return new HostResolver(builder, lookups);
  }

  /** The address of a host; an error if it has none. */
  address(host: string, family: Family, at: Position): Address | undefined {
    const [, inBrackets = ""] = /^\[(.*)\]$/.exec(host) ?? [];
    const address =
      family === INET6
        ? parseIpv6(inBrackets)
        : (parseIpv4(host) ?? this.#lookedUp(host));
    if (!address) this.#missing(host, family, at);
    return address;
  }

  #lookedUp(host: string): Address | undefined {
    return isName(host) ? this.#lookups.host(host) : undefined;
  }

  #missing(host: string, family: Family, at: Position): void {
    if (family === INET6)
      this.#builder.error(
        at,
        "form",
        `"${host}": expected an IPv6 address in brackets`,
      );
    else if (host.startsWith("["))
      this.#builder.error(
        at,
        "form",
        `"${host}" is an IPv6 address`,
        "use virtual6, real6 and fallback6 for IPv6",
      );
    else
      this.#builder.error(
        at,
        "unknown-host",
        `host ${host} has no IPv4 address`,
      );
  }

  /** The number of a port; an error if its name is unknown. @param protocol undefined for any */
  port(
    text: string,
    protocol: Protocol | undefined,
    at: Position,
  ): number | undefined {
    if (/^[0-9]+$/.test(text)) {
      const number = Number(text);
      if (number <= 65535) return number;
      this.#builder.error(at, "form", `${text}: expected a port up to 65535`);
      return undefined;
    }
    const protocols: readonly Protocol[] =
      protocol === undefined ? [TCP, UDP] : [protocol];
    for (const one of protocols) {
      const number = this.#lookups.port(text, one);
      if (number !== undefined) return number;
    }
    this.#builder.error(at, "unknown-port", `unknown port ${text}`);
    return undefined;
  }
}

/** Whether a host has to be looked up. */
function isName(host: string): boolean {
  return !host.startsWith("[") && parseIpv4(host) === undefined;
}
