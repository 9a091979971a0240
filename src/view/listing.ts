import { formatAddress, INET6 } from "../ipvs/address.js";
import {
  DIRECT_ROUTING,
  LOCAL_NODE,
  MASQUERADING,
  MASTER,
  ONE_PACKET,
  PERSISTENT,
  TUNNELLING,
  TUNNEL_CHECKSUM,
  TUNNEL_GRE,
  TUNNEL_GUE,
  TUNNEL_REMOTE_CHECKSUM,
  formatNarrowMask,
  type Daemon,
  type DestinationEntry,
  type DestinationSettings,
  type EndpointName,
  type Info,
  type ServiceEntry,
  type ServiceWithServers,
  type Stats,
  type Timeouts,
  PROTOCOL_NAMES,
} from "../ipvs/model.js";
import { schedulerFlagNames } from "../ipvs/scheduler-flags.js";

/** How the classic listing shows a table; the rest is common to all formats. */
export interface ListingStyle {
  readonly format: keyof typeof TITLES;
  /** Show all digits of counters and rates */
  readonly exact: boolean;
  readonly name: EndpointName;
}

/** The two title lines of each format. Trailing blanks are the original's, and people diff listings. */
const TITLES = {
  plain: [
    "Prot LocalAddress:Port Scheduler Flags",
    "  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn",
  ],
  "tun-info": [
    "Prot LocalAddress:Port Scheduler Flags",
    "  -> RemoteAddress:Port           Forward TunnelInfo    Weight ActiveConn InActConn",
  ],
  stats: [
    "Prot LocalAddress:Port               Conns   InPkts  OutPkts  InBytes OutBytes",
    "  -> RemoteAddress:Port",
  ],
  rate: [
    "Prot LocalAddress:Port                 CPS    InPPS   OutPPS    InBPS   OutBPS",
    "  -> RemoteAddress:Port",
  ],
  thresholds: [
    "Prot LocalAddress:Port            Uthreshold Lthreshold ActiveConn InActConn ",
    "  -> RemoteAddress:Port",
  ],
  "persistent-conn": [
    "Prot LocalAddress:Port            Weight    PersistConn ActiveConn InActConn ",
    "  -> RemoteAddress:Port",
  ],
} as const;

const FORWARDING: Readonly<Record<number, string>> = {
  [MASQUERADING]: "Masq",
  [LOCAL_NODE]: "Local",
  [TUNNELLING]: "Tunnel",
  [DIRECT_ROUTING]: "Route",
};

/** Widest name of an IPv4 service or server; what is longer is cut. IPv6 is not cut. */
const NAME_COLUMNS = 28;
/** The name with what stands before it, in the formats that show counters. */
const COUNTER_NAME_COLUMNS = NAME_COLUMNS + 5;

/** `IP Virtual Server version 1.2.1 (size=4096)` */
export function versionLine({ version, connectionTableSize }: Info): string {
  const parts = [version >> 16, version >> 8, version].map((n) => n & 0xff);
  return `IP Virtual Server version ${parts.join(".")} (size=${connectionTableSize})\n`;
}

/** The two lines above a listing. */
export function titleLines(format: ListingStyle["format"]): string {
  return TITLES[format].map((line) => `${line}\n`).join("");
}

/** A service and its real servers, a line each. */
export function* serviceLines(
  service: ServiceWithServers,
  style: ListingStyle,
): Generator<string> {
  yield `${serviceLine(service, style)}\n`;
  const { key } = service;
  const protocol = "firewallMark" in key ? undefined : key.protocol;
  for (const server of service.servers) {
    const { address, port } = server.key;
    const name = clip(style.name(address, port, protocol), address.length);
    yield `${serverLine(server, name, style)}\n`;
  }
}

function serviceLine(service: ServiceEntry, style: ListingStyle): string {
  const name = serviceName(service, style.name);
  if (style.format === "stats" || style.format === "rate")
    return (
      name.padEnd(COUNTER_NAME_COLUMNS) +
      counters(service.stats, style.format)
        .map((count) => counter(count, style.exact))
        .join("")
    );
  return `${name} ${serviceSettings(service)}`;
}

/** `TCP  192.0.2.1:80`, `FWM  7`, `FWM  7 IPv6` */
function serviceName({ key }: ServiceEntry, name: EndpointName): string {
  if ("firewallMark" in key) {
    // The original prints the mark as a signed number.
    const mark = key.firewallMark | 0;
    return `FWM  ${mark}${key.family === INET6 ? " IPv6" : ""}`;
  }
  const { address, port, protocol } = key;
  const shown = clip(name(address, port, protocol), address.length);
  return `${PROTOCOL_NAMES[protocol].padEnd(4)} ${shown}`;
}

/** The scheduler with its flags, and what differs from the defaults. */
export function serviceSettings({ settings }: ServiceEntry): string {
  const flags = schedulerFlagNames(settings.scheduler, settings.flags);
  let text = settings.scheduler;
  if (flags.length > 0) text += ` (${flags.join(",")})`;
  if (settings.flags & PERSISTENT) {
    text += ` persistent ${settings.timeoutSeconds}`;
    const mask = formatNarrowMask(settings.netmask);
    if (mask !== undefined) text += ` mask ${mask}`;
    if (settings.persistenceEngine) text += ` pe ${settings.persistenceEngine}`;
  }
  if (settings.flags & ONE_PACKET) text += " ops";
  return text;
}

function serverLine(
  server: DestinationEntry,
  name: string,
  style: ListingStyle,
): string {
  const { settings, activeConnections, inactiveConnections } = server;
  const padded = `  -> ${name.padEnd(NAME_COLUMNS)}`;
  const connections = [activeConnections, inactiveConnections].map((count) =>
    String(count).padEnd(10),
  );
  const method = (FORWARDING[settings.forwarding] ?? "").padEnd(7);
  switch (style.format) {
    case "plain":
    case "tun-info": {
      const weight = String(settings.weight | 0).padEnd(6);
      const tunnel =
        style.format === "plain" ? [] : [tunnelInfo(settings).padEnd(13)];
      return [padded, method, ...tunnel, weight, ...connections].join(" ");
    }
    case "thresholds": {
      const limits = [settings.upperThreshold, settings.lowerThreshold];
      return [
        padded,
        ...limits.map((limit) => String(limit).padEnd(10)),
        ...connections,
      ].join(" ");
    }
    case "persistent-conn":
      return [
        padded,
        String(settings.weight | 0).padEnd(9),
        String(server.persistentConnections).padEnd(11),
        ...connections,
      ].join(" ");
    case "stats":
    case "rate": {
      const numbers = counters(server.stats, style.format).map((count, i) =>
        // The rates of connections and packets are always whole for a real server.
        style.format === "rate" && i < 3
          ? ` ${String(count).padStart(8)}`
          : counter(count, style.exact),
      );
      return padded + numbers.join("");
    }
  }
}

/** `ipip`, `gue:PORT:CHECKSUM`, `gre:CHECKSUM`, or `n/a` for the other forwarding methods. */
export function tunnelInfo({
  forwarding,
  tunnel,
}: DestinationSettings): string {
  if (forwarding !== TUNNELLING) return "n/a";
  const checksum =
    tunnel.flags & TUNNEL_CHECKSUM
      ? "+c"
      : tunnel.flags & TUNNEL_REMOTE_CHECKSUM
        ? "r+c"
        : "-c";
  switch (tunnel.type) {
    case TUNNEL_GUE:
      return `gue:${tunnel.port}:${checksum}`;
    case TUNNEL_GRE:
      return `gre:${checksum}`;
    default:
      return "ipip";
  }
}

function counters(stats: Stats, format: "stats" | "rate"): bigint[] {
  return format === "stats"
    ? [
        stats.connections,
        stats.inPackets,
        stats.outPackets,
        stats.inBytes,
        stats.outBytes,
      ]
    : [
        stats.connectionsPerSecond,
        stats.inPacketsPerSecond,
        stats.outPacketsPerSecond,
        stats.inBytesPerSecond,
        stats.outBytesPerSecond,
      ];
}

/** From each of these numbers on, a counter is divided by 1000 once more. */
const UNITS = [
  [100_000_000_000_000n, 1_000_000_000_000n, "T"],
  [100_000_000_000n, 1_000_000_000n, "G"],
  [1_000_000_000n, 1_000_000n, "M"],
  [100_000_000n, 1_000n, "K"],
] as const;

/** A counter in 9 columns. */
function counter(count: bigint, exact: boolean): string {
  const unit = exact ? undefined : UNITS.find(([from]) => count >= from);
  if (!unit) return ` ${String(count).padStart(8)}`;
  const [, divisor, letter] = unit;
  return String(count / divisor).padStart(8) + letter;
}

function clip(name: string, addressBytes: number): string {
  return addressBytes === 4 ? name.slice(0, NAME_COLUMNS) : name;
}

/** `Timeout (tcp tcpfin udp): 900 120 300` */
export function timeoutLine(timeouts: Timeouts): string {
  const { tcpSeconds, tcpFinSeconds, udpSeconds } = timeouts;
  return `Timeout (tcp tcpfin udp): ${tcpSeconds} ${tcpFinSeconds} ${udpSeconds}\n`;
}

/** `master sync daemon (mcast=eth0, syncid=0, maxlen=1472, group=224.0.0.81, port=8848, ttl=1)` */
export function daemonLine(daemon: Daemon): string {
  const role = daemon.state === MASTER ? "master" : "backup";
  const { multicastGroup, maximumLength, multicastPort, multicastTtl } = daemon;
  // Kernels before 4.3 had only the first two.
  const rest = [
    maximumLength === undefined ? "" : `, maxlen=${maximumLength}`,
    multicastGroup ? `, group=${formatAddress(multicastGroup)}` : "",
    multicastPort === undefined ? "" : `, port=${multicastPort}`,
    multicastTtl === undefined ? "" : `, ttl=${multicastTtl}`,
  ].join("");
  return `${role} sync daemon (mcast=${daemon.multicastInterface}, syncid=${daemon.syncId}${rest})\n`;
}
