import { INET6 } from "../ipvs/address.js";
import {
  MASQUERADING,
  ONE_PACKET,
  PERSISTENT,
  SCTP,
  TCP,
  TUNNELLING,
  TUNNEL_CHECKSUM,
  TUNNEL_GRE,
  TUNNEL_GUE,
  TUNNEL_REMOTE_CHECKSUM,
  UDP,
  formatNarrowMask,
  type DestinationEntry,
  type EndpointName,
  type ServiceEntry,
  type ServiceKey,
  type ServiceWithServers,
  type Tunnel,
} from "../ipvs/model.js";
import { schedulerFlagNames } from "../ipvs/scheduler-flags.js";

const SERVICE_OPTIONS = {
  [TCP]: "-t",
  [UDP]: "-u",
  [SCTP]: "--sctp-service",
} as const;

/** A service and its real servers as the command lines that make them: what -S writes and -R reads. */
export function* ruleLines(
  service: ServiceWithServers,
  name: EndpointName,
): Generator<string> {
  const { key } = service;
  const identity = serviceWords(key, name);
  const protocol = "firewallMark" in key ? undefined : key.protocol;
  yield `-A ${identity}${settingsWords(service)}\n`;
  for (const server of service.servers) {
    const { address, port } = server.key;
    yield `-a ${identity} -r ${name(address, port, protocol)}${serverWords(server)}\n`;
  }
}

function serviceWords(key: ServiceKey, name: EndpointName): string {
  if ("firewallMark" in key) {
    // The original writes the mark as a signed number, which it does not read back; so be it.
    return `-f ${key.firewallMark | 0}${key.family === INET6 ? " -6" : ""}`;
  }
  const { address, port, protocol } = key;
  return `${SERVICE_OPTIONS[protocol]} ${name(address, port, protocol)}`;
}

function settingsWords({ settings }: ServiceEntry): string {
  const flags = schedulerFlagNames(settings.scheduler, settings.flags);
  const mask = formatNarrowMask(settings.netmask);
  let words = ` -s ${settings.scheduler}`;
  if (settings.flags & PERSISTENT) {
    words += ` -p ${settings.timeoutSeconds}`;
    if (mask !== undefined) words += ` -M ${mask}`;
  }
  if (settings.persistenceEngine)
    words += ` --pe ${settings.persistenceEngine}`;
  if (settings.flags & ONE_PACKET) words += " -o";
  if (flags.length > 0) words += ` -b ${flags.join(",")}`;
  return words;
}

function serverWords({ settings }: DestinationEntry): string {
  const { forwarding, weight, upperThreshold, lowerThreshold } = settings;
  let words = ` ${methodWord(forwarding)} -w ${weight | 0}`;
  if (forwarding === TUNNELLING) words += tunnelWords(settings.tunnel);
  // The original forgets the thresholds.
  if (upperThreshold !== 0) words += ` -x ${upperThreshold}`;
  if (lowerThreshold !== 0) words += ` -y ${lowerThreshold}`;
  return words;
}

/** A server on the director itself is written as direct routing: the kernel will find that it is local. */
function methodWord(forwarding: number): string {
  if (forwarding === MASQUERADING) return "-m";
  return forwarding === TUNNELLING ? "-i" : "-g";
}

function tunnelWords({ type, port, flags }: Tunnel): string {
  const checksum =
    flags & TUNNEL_CHECKSUM
      ? " --tun-csum"
      : flags & TUNNEL_REMOTE_CHECKSUM
        ? " --tun-remcsum"
        : " --tun-nocsum";
  switch (type) {
    case TUNNEL_GUE:
      return ` --tun-type gue --tun-port ${port}${checksum}`;
    case TUNNEL_GRE:
      return ` --tun-type gre${checksum}`;
    default:
      return " --tun-type ipip";
  }
}
