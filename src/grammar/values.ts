import {
  INET6,
  familyOf,
  isMulticast,
  parseIpv4,
  parseIpv6,
} from "../ipvs/address.js";
import {
  BACKUP,
  MASTER,
  PERSISTENT,
  TCP,
  TUNNEL_GRE,
  TUNNEL_GUE,
  TUNNEL_IPIP,
  type Protocol,
} from "../ipvs/model.js";
import { schedulerFlag } from "../ipvs/scheduler-flags.js";
import type { ParsedOptions } from "./parsed-options.js";
import { parseEndpoint, parseIpv4Loosely } from "./endpoint.js";
import { UsageFault } from "./usage-errors.js";
import { parseLeadingWhole, parseWhole } from "./numbers.js";

/** Maximum lengths in bytes. The original truncates longer names. @see linux/ip_vs.h */
const SCHEDULER_BYTES = 15;
const ENGINE_BYTES = 16;
const INTERFACE_BYTES = 15;

const LONGEST_TIMEOUT_SECONDS = 31 * 24 * 60 * 60;

/** Sets the value of an option. @throws {UsageFault} `value`, with the original's message */
export type ApplyValue = (parsed: ParsedOptions, value: string) => void;

function fault(sentence: string): never {
  throw new UsageFault("value", sentence);
}

/** An integer within limits. */
export function whole(
  minimum: number,
  maximum: number,
  sentence: string,
  apply: (parsed: ParsedOptions, value: number) => void,
): ApplyValue {
  return (parsed, text) => {
    apply(parsed, parseWhole(text, minimum, maximum) ?? fault(sentence));
  };
}

export function serviceAddress(protocol: Protocol): ApplyValue {
  return (parsed, text) => {
    parsed.protocol = protocol;
    const endpoint =
      parsed.serviceEndpoint(text, protocol) ??
      fault("illegal virtual server address[:port] specified");
    parsed.address = endpoint.address;
    parsed.port = endpoint.port ?? 0;
    if (familyOf(endpoint.address) === INET6) parsed.useIpv6();
  };
}

export const firewallMark: ApplyValue = (parsed, text) => {
  parsed.protocol = TCP; // for the lookup of its servers' ports
  parsed.firewallMark =
    parseWhole(text, 1, 0xffffffff) ??
    fault(`invalid fwmark value \`${text}' specified`);
};

export const ipv6: ApplyValue = (parsed) => {
  if (parsed.firewallMark === 0) fault("-6 used before -f\n");
  parsed.useIpv6();
};

export const scheduler: ApplyValue = (parsed, text) => {
  parsed.scheduler = text.slice(0, SCHEDULER_BYTES);
};

export const persistenceEngine: ApplyValue = (parsed, text) => {
  parsed.persistenceEngine = text.slice(0, ENGINE_BYTES);
};

export const persistence: ApplyValue = (parsed, text) => {
  parsed.flags |= PERSISTENT;
  parsed.timeoutSeconds = seconds(text, 1);
};

/** Parses a timeout in seconds. @throws {UsageFault} if the text is not one */
export function seconds(text: string, minimum: 0 | 1): number {
  return (
    parseWhole(text, minimum, LONGEST_TIMEOUT_SECONDS) ??
    fault(`invalid timeout value \`${text}' specified`)
  );
}

/**
 * A prefix length if the service is IPv6, otherwise an IPv4 mask. Therefore -M must follow the
 * address.
 */
export const netmask: ApplyValue = (parsed, text) => {
  if (parsed.family === INET6) {
    const length = parseLeadingWhole(text);
    if (length < 1 || length > 128) fault("illegal ipv6 netmask specified");
    parsed.netmask = length;
  } else {
    parsed.netmask =
      parseIpv4Loosely(text) ??
      parsed.lookups.host(text) ??
      fault("illegal virtual server persistent mask specified");
  }
};

/** A real server. Without a port it gets the service's, if the service comes first on the line. */
export const realServer: ApplyValue = (parsed, text) => {
  const endpoint =
    parseEndpoint(text, parsed.protocol, parsed.lookups) ??
    fault("illegal real server address[:port] specified");
  parsed.serverAddress = endpoint.address;
  parsed.serverPort = endpoint.port ?? parsed.port;
  parsed.writtenServerPort = endpoint.port;
};

export const schedulerFlags: ApplyValue = (parsed, text) => {
  const names = text.split(",").filter((name) => name !== "");
  // The original crashes if there are only commas.
  if (names.length === 0 && text !== "")
    fault(`invalid scheduler flag \`${text}'`);
  for (const name of names) {
    const flag =
      schedulerFlag(name) ?? fault(`invalid scheduler flag \`${name}'`);
    if (flag.scheduler !== undefined && flag.scheduler !== parsed.scheduler)
      fault(`incompatible scheduler flag \`${name}'`);
    parsed.flags |= flag.bit;
  }
};

const TUNNEL_TYPES: ReadonlyMap<string, number> = new Map([
  ["ipip", TUNNEL_IPIP],
  ["gue", TUNNEL_GUE],
  ["gre", TUNNEL_GRE],
]);

export const tunnelType: ApplyValue = (parsed, text) => {
  const type = TUNNEL_TYPES.get(text) ?? fault("illegal tunnel type specified");
  parsed.tunnel = { ...parsed.tunnel, type };
};

/** Sets a flag of the tunnel. */
export function tunnelFlag(flag: number): ApplyValue {
  return (parsed) => {
    const flags = parsed.tunnel.flags | flag;
    parsed.tunnel = { ...parsed.tunnel, flags };
  };
}

/** The role of a sync daemon. */
export function daemonState(sentence: string): ApplyValue {
  return (parsed, text) => {
    if (text !== "master" && text !== "backup") fault(sentence);
    parsed.daemonState = text === "master" ? MASTER : BACKUP;
  };
}

export const multicastInterface: ApplyValue = (parsed, text) => {
  parsed.multicastInterface = text.slice(0, INTERFACE_BYTES);
};

export const multicastGroup: ApplyValue = (parsed, text) => {
  const version = text.includes(":") ? 6 : 4;
  const group = version === 6 ? parseIpv6(text) : parseIpv4(text);
  if (!group || !isMulticast(group))
    fault(`invalid IPv${version} mcast-group \`${text}'`);
  parsed.multicastGroup = group;
};
