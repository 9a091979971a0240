import { formatAddress } from "../ipvs/address.js";
import {
  DIRECT_ROUTING,
  HASHED,
  LOCAL_NODE,
  MASQUERADING,
  MASTER,
  ONE_PACKET,
  PERSISTENT,
  TUNNELING,
  TUNNEL_CHECKSUM,
  TUNNEL_GRE,
  TUNNEL_GUE,
  TUNNEL_REMOTE_CHECKSUM,
  formatNarrowMask,
  type Daemon,
  type ServerSettings,
  type ServerKey,
  type ServerSummary,
  type EndpointName,
  type Info,
  type ServiceSummary,
  type Timeouts,
} from "../ipvs/model.js";
import { schedulerFlagNames } from "../ipvs/scheduler-flags.js";
import type { ListedServer } from "../ipvs/table-file.js";
import type { TextBuilder } from "../text/text-builder.js";
import { NAME_COLUMNS, writeServerName, writeServiceName } from "./names.js";

/* The lines of the classic listings, except counters and connections. */
type ListingFormat = Exclude<keyof typeof TITLES, "stats" | "rate">;

/**
 * The two title lines of each format. They have the original's trailing spaces, because people
 * compare listings.
 */
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
  [TUNNELING]: "Tunnel",
  [DIRECT_ROUTING]: "Route",
};

/** `IP Virtual Server version 1.2.1 (size=4096)` */
export function versionLine({ version, connectionTableSize }: Info): string {
  const parts = [version >> 16, version >> 8, version].map((n) => n & 0xff);
  return `IP Virtual Server version ${parts.join(".")} (size=${connectionTableSize})\n`;
}

/** The two title lines of a format. */
export function titleLines(format: keyof typeof TITLES): string {
  return TITLES[format].map((line) => `${line}\n`).join("");
}

/** Writes the columns after a real server's name. */
type ServerColumns<Server> = (out: TextBuilder, server: Server) => void;

/** Writes a service and its real servers, one line each. */
export function writeService<Server extends { readonly key: ServerKey }>(
  out: TextBuilder,
  service: ServiceSummary & { readonly servers: readonly Server[] },
  writeColumns: ServerColumns<Server>,
  name: EndpointName | undefined,
): void {
  const { key } = service;
  writeServiceName(out, key, name);
  out.text(" ").text(serviceSettings(service)).text("\n");
  for (const server of service.servers) {
    out.text("  -> ").column();
    writeServerName(out, key, server.key, name);
    out.pad(NAME_COLUMNS);
    writeColumns(out, server);
    out.text("\n");
  }
}

/** Writes the columns of each format. */
export const SERVER_COLUMNS = {
  plain: (out: TextBuilder, server: ServerSummary | ListedServer): void => {
    // /proc/net/ip_vs has the same columns.
    if ("columns" in server) {
      out.text(server.columns);
      return;
    }
    const { forwarding, weight } = server.settings;
    out.text(FORWARDING[forwarding] ?? "").pad(7);
    out.integer(weight | 0).pad(6);
    writeConnections(out, server);
  },
  "tun-info": (out: TextBuilder, server: ServerSummary): void => {
    const { forwarding, weight } = server.settings;
    out.text(FORWARDING[forwarding] ?? "").pad(7);
    out.text(tunnelInfo(server.settings)).pad(13);
    out.integer(weight | 0).pad(6);
    writeConnections(out, server);
  },
  thresholds: (out: TextBuilder, server: ServerSummary): void => {
    out.decimal(server.settings.upperThreshold).pad(10);
    out.decimal(server.settings.lowerThreshold).pad(10);
    writeConnections(out, server);
  },
  "persistent-conn": (out: TextBuilder, server: ServerSummary): void => {
    out.integer(server.settings.weight | 0).pad(9);
    out.decimal(server.persistentConnections).pad(11);
    writeConnections(out, server);
  },
} as const satisfies Record<ListingFormat, ServerColumns<ServerSummary>>;

function writeConnections(
  out: TextBuilder,
  { activeConnections, inactiveConnections }: ServerSummary,
): void {
  out.decimal(activeConnections).pad(10);
  out.decimal(inactiveConnections).fill(10);
}

/** The scheduler with its flags, and settings that differ from the defaults. */
export function serviceSettings({
  settings,
}: Pick<ServiceSummary, "settings">): string {
  let text = settings.scheduler;
  if ((settings.flags & ~HASHED) === 0) return text; // the usual case
  const flags = schedulerFlagNames(settings.scheduler, settings.flags);
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

/**
 * The tunnel type as `ipip`, `gue:PORT:CHECKSUM` or `gre:CHECKSUM`; `n/a` for other forwarding
 * methods.
 */
export function tunnelInfo({ forwarding, tunnel }: ServerSettings): string {
  if (forwarding !== TUNNELING) return "n/a";
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

/** `Timeout (tcp tcpfin udp): 900 120 300` */
export function timeoutLine(timeouts: Timeouts): string {
  const { tcpSeconds, tcpFinSeconds, udpSeconds } = timeouts;
  return `Timeout (tcp tcpfin udp): ${tcpSeconds} ${tcpFinSeconds} ${udpSeconds}\n`;
}

/** `master sync daemon (mcast=eth0, syncid=0, maxlen=1472, group=224.0.0.81, port=8848, ttl=1)` */
export function daemonLine(daemon: Daemon): string {
  const role = daemon.state === MASTER ? "master" : "backup";
  const { multicastGroup, maximumLength, multicastPort, multicastTtl } = daemon;
  // Kernels before 4.3 report only the first two.
  const rest = [
    maximumLength === undefined ? "" : `, maxlen=${maximumLength}`,
    multicastGroup ? `, group=${formatAddress(multicastGroup)}` : "",
    multicastPort === undefined ? "" : `, port=${multicastPort}`,
    multicastTtl === undefined ? "" : `, ttl=${multicastTtl}`,
  ].join("");
  return `${role} sync daemon (mcast=${daemon.multicastInterface}, syncid=${daemon.syncId}${rest})\n`;
}
