import { INET6, type Address } from "../ipvs/address.js";
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
  type DestinationState,
  type EndpointName,
  type Protocol,
  type ServiceKey,
  type ServiceState,
  type TableEntry,
  type Tunnel,
} from "../ipvs/model.js";
import { schedulerFlagNames } from "../ipvs/scheduler-flags.js";
import { writeEndpoint } from "../text/addresses.js";
import { TextBuilder } from "../text/builder.js";

const SERVICE_OPTIONS = {
  [TCP]: "-t",
  [UDP]: "-u",
  [SCTP]: "--sctp-service",
} as const;

/**
 * Writes a service and its real servers as the command lines that make them: what -S writes and -R reads.
 *
 * @param name undefined for addresses and ports in numbers
 */
export function writeRules(
  out: TextBuilder,
  service: TableEntry,
  name?: EndpointName,
): void {
  const { key } = service;
  const protocol = "firewallMark" in key ? undefined : key.protocol;
  out.text("-A ");
  writeKey(out, key, name);
  writeSettings(out, service);
  for (const server of service.servers) {
    const { address, port } = server.key;
    out.text("-a ");
    writeKey(out, key, name);
    out.text(" -r ");
    writeName(out, address, port, protocol, name);
    writeServerSettings(out, server);
  }
}

/** The same lines as texts. */
export function ruleLines(
  service: TableEntry,
  name?: EndpointName,
): readonly string[] {
  const out = new TextBuilder(1024);
  writeRules(out, service, name);
  return out.take().split(/(?<=\n)/);
}

function writeKey(
  out: TextBuilder,
  key: ServiceKey,
  name: EndpointName | undefined,
): void {
  if ("firewallMark" in key) {
    // The original writes the mark as a signed number, which it does not read back; so be it.
    out.text("-f ").integer(key.firewallMark | 0);
    if (key.family === INET6) out.text(" -6");
    return;
  }
  const { address, port, protocol } = key;
  out.text(SERVICE_OPTIONS[protocol]).text(" ");
  writeName(out, address, port, protocol, name);
}

function writeName(
  out: TextBuilder,
  address: Address,
  port: number,
  protocol: Protocol | undefined,
  name: EndpointName | undefined,
): void {
  if (name) out.text(name(address, port, protocol));
  else writeEndpoint(out, address, port);
}

function writeSettings(out: TextBuilder, { settings }: ServiceState): void {
  const flags = schedulerFlagNames(settings.scheduler, settings.flags);
  out.text(" -s ").text(settings.scheduler);
  if (settings.flags & PERSISTENT) {
    out.text(" -p ").decimal(settings.timeoutSeconds);
    const mask = formatNarrowMask(settings.netmask);
    if (mask !== undefined) out.text(" -M ").text(mask);
  }
  if (settings.persistenceEngine)
    out.text(" --pe ").text(settings.persistenceEngine);
  if (settings.flags & ONE_PACKET) out.text(" -o");
  if (flags.length > 0) out.text(" -b ").text(flags.join(","));
  out.text("\n");
}

function writeServerSettings(
  out: TextBuilder,
  { settings }: DestinationState,
): void {
  const { forwarding, weight, upperThreshold, lowerThreshold } = settings;
  out.text(" ").text(methodWord(forwarding));
  out.text(" -w ").integer(weight | 0);
  if (forwarding === TUNNELLING) out.text(tunnelWords(settings.tunnel));
  // The original forgets the thresholds.
  if (upperThreshold !== 0) out.text(" -x ").decimal(upperThreshold);
  if (lowerThreshold !== 0) out.text(" -y ").decimal(lowerThreshold);
  out.text("\n");
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
