import { formatAddress, INET6, type Address } from "../ipvs/address.js";
import type { Change } from "../ipvs/change.js";
import {
  MASQUERADING,
  MASTER,
  ONE_PACKET,
  PERSISTENT,
  SCTP,
  TCP,
  TUNNELING,
  TUNNEL_CHECKSUM,
  TUNNEL_GRE,
  TUNNEL_GUE,
  TUNNEL_REMOTE_CHECKSUM,
  UDP,
  formatNarrowMask,
  type Daemon,
  type ServerKey,
  type ServerSettings,
  type EndpointName,
  type Protocol,
  type ServiceKey,
  type ServiceSettings,
  type ServiceSummaryWithServers,
  type Tunnel,
} from "../ipvs/model.js";
import {
  schedulerBitNames,
  schedulerFlagNames,
} from "../ipvs/scheduler-flags.js";
import { writeEndpoint } from "../text/address-text.js";
import { ByteBuilder, type TextBuilder } from "../text/text-builder.js";

const SERVICE_OPTIONS = {
  [TCP]: "-t",
  [UDP]: "-u",
  [SCTP]: "--sctp-service",
} as const;

/** How to write rules. */
type RuleStyle =
  /** Like the original's -S. Some rules read back differently */
  | "classic"
  /** Rules that read back unchanged, as far as the classic options allow it */
  | "exact";

/**
 * Writes a service and its real servers as command lines that create them: the format of -S and -R.
 *
 * @param name formats endpoints; by default as numbers
 */
export function writeRules(
  out: TextBuilder,
  service: ServiceSummaryWithServers,
  name?: EndpointName,
): void {
  const { key } = service;
  const protocol = "firewallMark" in key ? undefined : key.protocol;
  out.text("-A ");
  writeKey(out, key, name, "classic");
  writeSettings(out, service.settings, "classic");
  for (const server of service.servers) {
    const { address, port } = server.key;
    out.text("-a ");
    writeKey(out, key, name, "classic");
    out.text(" -r ");
    writeName(out, address, port, protocol, name);
    writeServerSettings(out, server.settings, "classic");
  }
}

/** Formats a service and its real servers as command lines. */
export function ruleLines(
  service: ServiceSummaryWithServers,
  name?: EndpointName,
): readonly string[] {
  const out = new ByteBuilder(1024);
  writeRules(out, service, name);
  return out.take().split(/(?<=\n)/);
}

/**
 * Formats a change as a command line without line feed, with numbers, so that it reads back
 * unchanged.
 */
export function changeLine(change: Change): string {
  const out = new ByteBuilder(256);
  writeChange(out, change);
  return out.take().trimEnd();
}

/** Formats the options that name a service: `-t 192.0.2.1:80`, `-f 7 -6`. */
export function serviceWords(service: ServiceKey): string {
  const out = new ByteBuilder(64);
  writeKey(out, service, undefined, "exact");
  return out.take();
}

function writeChange(out: TextBuilder, change: Change): void {
  switch (change.command) {
    case "add-service":
    case "edit-service":
      out.text(change.command === "add-service" ? "-A " : "-E ");
      writeKey(out, change.service, undefined, "exact");
      writeSettings(out, change.settings, "exact");
      return;
    case "delete-service":
      out.text("-D ");
      writeKey(out, change.service, undefined, "exact");
      return;
    case "add-server":
    case "edit-server":
      out.text(change.command === "add-server" ? "-a " : "-e ");
      writeMember(out, change.service, change.server);
      writeServerSettings(out, change.settings, "exact");
      return;
    case "delete-server":
      out.text("-d ");
      writeMember(out, change.service, change.server);
      return;
    case "flush":
      out.text("-C");
      return;
    case "zero":
      out.text("-Z ");
      if (change.service) writeKey(out, change.service, undefined, "exact");
      return;
    case "set": {
      const { tcpSeconds, tcpFinSeconds, udpSeconds } = change.timeouts;
      out.text(`--set ${tcpSeconds} ${tcpFinSeconds} ${udpSeconds}`);
      return;
    }
    case "start-daemon":
      out.text(`--start-daemon ${daemonWords(change.daemon)}`);
      return;
    case "stop-daemon":
      out.text(`--stop-daemon ${roleWord(change.daemon)}`);
  }
}

/** Writes the options that name a real server and its service. */
function writeMember(
  out: TextBuilder,
  service: ServiceKey,
  { address, port }: ServerKey,
): void {
  writeKey(out, service, undefined, "exact");
  out.text(" -r ");
  writeEndpoint(out, address, port);
}

function daemonWords(daemon: Daemon): string {
  const { multicastGroup, maximumLength, multicastPort, multicastTtl } = daemon;
  let words = `${roleWord(daemon)} --mcast-interface ${daemon.multicastInterface} --syncid ${daemon.syncId}`;
  if (maximumLength !== undefined) words += ` --sync-maxlen ${maximumLength}`;
  if (multicastGroup)
    words += ` --mcast-group ${formatAddress(multicastGroup)}`;
  if (multicastPort !== undefined) words += ` --mcast-port ${multicastPort}`;
  if (multicastTtl !== undefined) words += ` --mcast-ttl ${multicastTtl}`;
  return words;
}

function roleWord({ state }: Daemon): string {
  return state === MASTER ? "master" : "backup";
}

function writeKey(
  out: TextBuilder,
  key: ServiceKey,
  name: EndpointName | undefined,
  style: RuleStyle,
): void {
  if ("firewallMark" in key) {
    const { firewallMark: mark } = key;
    // Like the original, which writes the mark as a signed number and does not read it back.
    if (style === "classic") out.text("-f ").integer(mark | 0);
    else out.text("-f ").decimal(mark);
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

function writeSettings(
  out: TextBuilder,
  settings: ServiceSettings,
  style: RuleStyle,
): void {
  const namesOf = style === "classic" ? schedulerFlagNames : schedulerBitNames;
  const flags = namesOf(settings.scheduler, settings.flags);
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
  settings: ServerSettings,
  style: RuleStyle,
): void {
  const { forwarding, weight, upperThreshold, lowerThreshold } = settings;
  out.text(" ").text(methodWord(forwarding));
  out.text(" -w ").integer(style === "classic" ? weight | 0 : weight);
  if (forwarding === TUNNELING) out.text(tunnelWords(settings.tunnel));
  // The original does not write the thresholds.
  if (upperThreshold !== 0) out.text(" -x ").decimal(upperThreshold);
  if (lowerThreshold !== 0) out.text(" -y ").decimal(lowerThreshold);
  out.text("\n");
}

/** Writes a local server as direct routing. The kernel detects by itself that it is local. */
function methodWord(forwarding: number): string {
  if (forwarding === MASQUERADING) return "-m";
  return forwarding === TUNNELING ? "-i" : "-g";
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
