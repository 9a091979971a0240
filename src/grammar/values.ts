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
import type { Draft } from "./draft.js";
import { parseEndpoint, parseIpv4Loosely } from "./endpoint.js";
import { UsageFault } from "./usage-errors.js";
import { parseLeadingWhole, parseWhole } from "./numbers.js";

/** Longest names, in bytes; what is longer is cut as the original cuts it. @see linux/ip_vs.h */
const SCHEDULER_BYTES = 15;
const ENGINE_BYTES = 16;
const INTERFACE_BYTES = 15;

const LONGEST_TIMEOUT_SECONDS = 31 * 24 * 60 * 60;

/** Takes what an option says into the draft. @throws {UsageFault} `value`, in the original's words */
export type Take = (draft: Draft, value: string) => void;

function fault(sentence: string): never {
  throw new UsageFault("value", sentence);
}

/** A whole number within limits. */
export function whole(
  minimum: number,
  maximum: number,
  sentence: string,
  take: (draft: Draft, value: number) => void,
): Take {
  return (draft, text) => {
    take(draft, parseWhole(text, minimum, maximum) ?? fault(sentence));
  };
}

export function serviceAddress(protocol: Protocol): Take {
  return (draft, text) => {
    draft.protocol = protocol;
    const endpoint =
      draft.serviceEndpoint(text, protocol) ??
      fault("illegal virtual server address[:port] specified");
    draft.address = endpoint.address;
    draft.port = endpoint.port ?? 0;
    if (familyOf(endpoint.address) === INET6) draft.useIpv6();
  };
}

export const firewallMark: Take = (draft, text) => {
  draft.protocol = TCP; // by which its servers' ports are looked up
  draft.firewallMark =
    parseWhole(text, 1, 0xffffffff) ??
    fault(`invalid fwmark value \`${text}' specified`);
};

export const ipv6: Take = (draft) => {
  if (draft.firewallMark === 0) fault("-6 used before -f\n");
  draft.useIpv6();
};

export const scheduler: Take = (draft, text) => {
  draft.scheduler = text.slice(0, SCHEDULER_BYTES);
};

export const persistenceEngine: Take = (draft, text) => {
  draft.persistenceEngine = text.slice(0, ENGINE_BYTES);
};

export const persistence: Take = (draft, text) => {
  draft.flags |= PERSISTENT;
  draft.timeoutSeconds = seconds(text, 1);
};

/** A timeout in seconds. @throws {UsageFault} if it is not one */
export function seconds(text: string, minimum: 0 | 1): number {
  return (
    parseWhole(text, minimum, LONGEST_TIMEOUT_SECONDS) ??
    fault(`invalid timeout value \`${text}' specified`)
  );
}

/** A prefix length if an IPv6 service has been named, otherwise a mask: so -M must come after the address. */
export const netmask: Take = (draft, text) => {
  if (draft.family === INET6) {
    const length = parseLeadingWhole(text);
    if (length < 1 || length > 128) fault("illegal ipv6 netmask specified");
    draft.netmask = length;
  } else {
    draft.netmask =
      parseIpv4Loosely(text) ??
      draft.lookups.host(text) ??
      fault("illegal virtual server persistent mask specified");
  }
};

/** A real server. Without a port it takes the service's, if that has been named before. */
export const realServer: Take = (draft, text) => {
  const endpoint =
    parseEndpoint(text, draft.protocol, draft.lookups) ??
    fault("illegal real server address[:port] specified");
  draft.serverAddress = endpoint.address;
  draft.serverPort = endpoint.port ?? draft.port;
  draft.writtenServerPort = endpoint.port;
};

export const schedulerFlags: Take = (draft, text) => {
  const names = text.split(",").filter((name) => name !== "");
  // The original crashes where there are commas and nothing else.
  if (names.length === 0 && text !== "")
    fault(`invalid scheduler flag \`${text}'`);
  for (const name of names) {
    const flag =
      schedulerFlag(name) ?? fault(`invalid scheduler flag \`${name}'`);
    if (flag.scheduler !== undefined && flag.scheduler !== draft.scheduler)
      fault(`incompatible scheduler flag \`${name}'`);
    draft.flags |= flag.bit;
  }
};

const TUNNEL_TYPES: ReadonlyMap<string, number> = new Map([
  ["ipip", TUNNEL_IPIP],
  ["gue", TUNNEL_GUE],
  ["gre", TUNNEL_GRE],
]);

export const tunnelType: Take = (draft, text) => {
  const type = TUNNEL_TYPES.get(text) ?? fault("illegal tunnel type specified");
  draft.tunnel = { ...draft.tunnel, type };
};

/** Sets bits of the tunnel's flags. */
export function tunnelFlag(flag: number): Take {
  return (draft) => {
    const flags = draft.tunnel.flags | flag;
    draft.tunnel = { ...draft.tunnel, flags };
  };
}

/** The role of a sync daemon. */
export function daemonState(sentence: string): Take {
  return (draft, text) => {
    if (text !== "master" && text !== "backup") fault(sentence);
    draft.daemonState = text === "master" ? MASTER : BACKUP;
  };
}

export const multicastInterface: Take = (draft, text) => {
  draft.multicastInterface = text.slice(0, INTERFACE_BYTES);
};

export const multicastGroup: Take = (draft, text) => {
  const version = text.includes(":") ? 6 : 4;
  const group = version === 6 ? parseIpv6(text) : parseIpv4(text);
  if (!group || !isMulticast(group))
    fault(`invalid IPv${version} mcast-group \`${text}'`);
  draft.multicastGroup = group;
};
