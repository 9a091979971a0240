import { formatAddress } from "../../ipvs/address.js";
import { MASTER, type Daemon, type Info } from "../../ipvs/model.js";
import type { Totals } from "../../ipvs/totals.js";
import { drawTable } from "../../cli/table.js";
import { wrapPieces } from "../../cli/wrap.js";
import { explain } from "../../cli/errors.js";
import type { Display } from "../../cli/output.js";
import { escapeControls } from "../../cli/escape.js";
import {
  counted,
  shortByteRate,
  shortBytes,
  shortCount,
  shortDuration,
  shortRate,
} from "../../cli/units.js";
import type { Json } from "../../document/json-text.js";
import { daemonMembers, timeoutMembers } from "../../document/write-table.js";
import type { HashTable } from "../../doctor/kernel-status.js";
import type { IpvsStatus, Report } from "./read-status.js";

type Line = readonly [label: string, text: string];

const LABEL_COLUMNS = 13;

/** The report for people. */
export function statusLines(
  report: Report,
  { paint, width }: Display,
): string[] {
  const { ipvs } = report;
  const lines: Line[] = [
    ["Kernel", escapeControls(report.kernel ?? "unknown")],
    ["Module", moduleText(report)],
    ...(ipvs instanceof Error
      ? [["IPVS", paint.bad(faultText(ipvs))] as const]
      : ipvsLines(ipvs)),
    ["Connections", connectionsText(report)],
    ...hashTableLines(report),
    ...(ipvs instanceof Error ? [] : totalLines(ipvs.totals)),
    ["Privileges", privilegesText(report)],
    ["Sysctls", sysctlText(report)],
  ];
  const text = lines.flatMap(([label, text]) =>
    wrapped(text, (width ?? Infinity) - LABEL_COLUMNS).map((part, i) => {
      const left = (i === 0 ? label : "").padEnd(LABEL_COLUMNS);
      return `${i === 0 ? paint.strong(left) : left}${part}`.trimEnd();
    }),
  );
  const changed = report.sysctls ?? [];
  if (changed.length === 0) return text;
  const rows = changed.map(({ name, value, default: preset }) => [
    name,
    { text: escapeControls(value), style: "warning" as const },
    preset,
  ]);
  const columns = [
    { title: "Sysctl", shortest: 20 },
    { title: "Value" },
    { title: "Default", drop: 1 },
  ];
  return [...text, ...drawTable(columns, rows, { width, paint, indent: 2 })];
}

/** Wraps a text behind its commas, and a longer part between its words. */
function wrapped(text: string, room: number): string[] {
  const pieces = text
    .split(/(?<=, )/)
    .flatMap((part) =>
      part.trimEnd().length > room ? part.split(/(?<= )/) : part,
    );
  return wrapPieces(pieces, room);
}

function moduleText({ module }: Report): string {
  const parameters = Object.entries(module.parameters).map(
    ([name, value]) => `${name}=${escapeControls(value)}`,
  );
  const users =
    module.users.length > 0
      ? [`used by ${escapeControls(module.users.join(" "))}`]
      : [];
  const references =
    module.references === undefined
      ? []
      : [counted(module.references, "reference")];
  const state =
    module.state === "absent" ? "ip_vs is not loaded" : `ip_vs ${module.state}`;
  return [state, ...references, ...users, ...parameters].join(", ");
}

function ipvsLines({ info, timeouts, daemons }: IpvsStatus): Line[] {
  const { tcpSeconds, tcpFinSeconds, udpSeconds } = timeouts;
  return [
    [
      "IPVS",
      `version ${versionText(info)}, connection table with ${info.connectionTableSize} buckets`,
    ],
    [
      "Timeouts",
      `tcp ${shortDuration(tcpSeconds)}, tcp after FIN ${shortDuration(tcpFinSeconds)}, udp ${shortDuration(udpSeconds)}`,
    ],
    ...(daemons.length === 0
      ? [["Sync", "no sync daemon"] as const]
      : daemons.map((daemon) => ["Sync", daemonText(daemon)] as const)),
  ];
}

function versionText({ version }: Info): string {
  return [version >> 16, version >> 8, version]
    .map((part) => part & 0xff)
    .join(".");
}

function daemonText(daemon: Daemon): string {
  const { state, multicastInterface, syncId, multicastGroup, multicastPort } =
    daemon;
  const role = state === MASTER ? "master" : "backup";
  const group = multicastGroup
    ? `, group ${formatAddress(multicastGroup)}`
    : "";
  const port = multicastPort === undefined ? "" : `, port ${multicastPort}`;
  return `${role} on ${escapeControls(multicastInterface)}, syncid ${syncId}${group}${port}`;
}

function connectionsText(report: Report): string {
  const { connectionEntries, mostConnectionEntries, ipvs } = report;
  if (connectionEntries === undefined) return "not readable";
  const buckets = ipvs instanceof Error ? 0 : ipvs.info.connectionTableSize;
  const load =
    buckets === 0
      ? ""
      : `, ${(connectionEntries / buckets).toFixed(2)} per bucket`;
  const limit =
    mostConnectionEntries === undefined
      ? ""
      : `, limit ${mostConnectionEntries}`;
  return `${counted(connectionEntries, "entry", "entries")}${load}${limit}`;
}

/** What only newer kernels report. */
function hashTableLines({ kernelStatus }: Report): Line[] {
  const { connectionTable, serviceTable, estimation } = kernelStatus ?? {};
  return [
    ...(connectionTable
      ? [
          [
            "Hash tables",
            hashTableText("connections", connectionTable),
          ] as const,
        ]
      : []),
    ...(serviceTable
      ? [["Hash tables", hashTableText("services", serviceTable)] as const]
      : []),
    ...(estimation
      ? [
          [
            "Estimation",
            `${estimation.threads} of ${counted(estimation.mostThreads, "thread")}, up to ${counted(estimation.countersPerThread, "counter")} in each`,
          ] as const,
        ]
      : []),
  ];
}

function hashTableText(what: string, table: HashTable): string {
  const { buckets, emptyBuckets, loadFactor, longestChain } = table;
  const longest = longestChain >= 7 ? "7 or more" : String(longestChain);
  return `${what}: ${counted(buckets, "bucket")}, ${emptyBuckets} empty, longest chain ${longest}, load factor ${loadFactor}`;
}

function totalLines(totals: Totals): Line[] {
  const { services, servers } = totals;
  return [
    [
      "Table",
      `${counted(services, "service")}, ${counted(servers, "real server")}`,
    ],
    [
      "Load",
      `${shortCount(totals.activeConnections)} active, ${shortCount(totals.inactiveConnections)} inactive, ${counted(totals.persistentConnections, "connection template")}`,
    ],
    [
      "Now",
      `${shortRate(totals.connectionsPerSecond)} connections, in ${shortRate(totals.inPacketsPerSecond)} packets ${shortByteRate(totals.inBytesPerSecond)}, out ${shortRate(totals.outPacketsPerSecond)} packets ${shortByteRate(totals.outBytesPerSecond)}`,
    ],
    [
      "Total",
      `${shortCount(totals.connections)} connections, in ${shortCount(totals.inPackets)} packets ${shortBytes(totals.inBytes)}, out ${shortCount(totals.outPackets)} packets ${shortBytes(totals.outBytes)}`,
    ],
  ];
}

function privilegesText({ may }: Report): string {
  const parts = [
    [may.administerNetworks, "read and change the table (CAP_NET_ADMIN)"],
    [may.readConnections, "read connections"],
    [may.openRawSockets, "open raw sockets (CAP_NET_RAW)"],
  ] as const;
  const allowed = parts.filter(([yes]) => yes).map(([, what]) => what);
  const denied = parts
    .filter(([yes]) => !yes)
    .map(([, what]) => `cannot ${what}`);
  return [...allowed, ...denied].join(", ");
}

function sysctlText({ sysctls }: Report): string {
  if (sysctls === undefined) return "net.ipv4.vs does not exist";
  return sysctls.length === 0
    ? "all at their defaults"
    : `${sysctls.length} changed from ${sysctls.length === 1 ? "its default" : "their defaults"}:`;
}

function faultText(error: Error): string {
  return explain(error)?.fault ?? error.message;
}

/** The report for programs. */
export function statusJson(report: Report): Json {
  const { kernel, module, ipvs, connectionEntries, sysctls, may } = report;
  const { connectionTable, serviceTable, estimation } =
    report.kernelStatus ?? {};
  return {
    schema: "ipvsadm/status/1",
    kernel: kernel ?? null,
    module: { ...module },
    ipvs: ipvs instanceof Error ? null : ipvsJson(ipvs),
    error: ipvs instanceof Error ? faultText(ipvs) : undefined,
    connectionEntries: connectionEntries ?? null,
    mostConnectionEntries: report.mostConnectionEntries,
    connectionHashTable: connectionTable && { ...connectionTable },
    serviceHashTable: serviceTable && { ...serviceTable },
    estimation: estimation && { ...estimation },
    sysctls: sysctls?.map((changed) => ({ ...changed })) ?? null,
    may: { ...may },
  };
}

function ipvsJson({ info, timeouts, daemons, totals }: IpvsStatus): Json {
  return {
    version: versionText(info),
    connectionTableSize: info.connectionTableSize,
    timeouts: timeoutMembers(timeouts),
    daemons: daemons.map(daemonMembers),
    totals: { ...totals },
  };
}
