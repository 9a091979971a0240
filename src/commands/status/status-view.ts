import { formatAddress } from "../../ipvs/address.js";
import { MASTER, type Daemon, type Info } from "../../ipvs/model.js";
import type { Totals } from "../../ipvs/totals.js";
import { drawTable } from "../../cli/table.js";
import { explain } from "../../cli/errors.js";
import type { Output } from "../../cli/output.js";
import { escapeControls } from "../../cli/escape.js";
import {
  shortByteRate,
  shortBytes,
  shortCount,
  shortDuration,
  shortRate,
} from "../../cli/units.js";
import type { Json } from "../../document/json-text.js";
import type { Answers, Report } from "./read-status.js";

/** What a line begins with, and what it says. */
type Line = readonly [string, string];

const LABEL_COLUMNS = 13;

/** The report on one screen. */
export function statusLines(
  report: Report,
  { paint, width }: Pick<Output, "paint" | "width">,
): string[] {
  const { ipvs } = report;
  const lines: Line[] = [
    ["Kernel", report.kernel ?? "unknown"],
    ["Module", moduleText(report)],
    ...(ipvs instanceof Error
      ? [["IPVS", paint.bad(faultText(ipvs))] as const]
      : answerLines(ipvs)),
    ["Connections", connectionsText(report)],
    ...(ipvs instanceof Error ? [] : totalLines(ipvs.totals)),
    ["You may", mayText(report)],
    ["Sysctls", sysctlText(report)],
  ];
  const shown = lines.flatMap(([label, text]) =>
    folded(text, width).map((part, i) => {
      const left = (i === 0 ? label : "").padEnd(LABEL_COLUMNS);
      return `${i === 0 ? paint.strong(left) : left}${part}`.trimEnd();
    }),
  );
  const changed = report.sysctls ?? [];
  if (changed.length === 0) return shown;
  const rows = changed.map(({ name, value, default: usual }) => [
    name,
    { text: escapeControls(value), style: "warning" as const },
    usual,
  ]);
  const columns = [
    { title: "Sysctl", shortest: 20 },
    { title: "Value" },
    { title: "Default", drop: 1 },
  ];
  return [...shown, ...drawTable(columns, rows, { width, paint, indent: 2 })];
}

/** Parts between commas on lines that fit. */
function folded(text: string, width: number | undefined): string[] {
  const room = (width ?? Infinity) - LABEL_COLUMNS;
  const lines = [""];
  for (const part of text.split(/(?<=, )/)) {
    const line = lines.at(-1) ?? "";
    if (line !== "" && line.length + part.trimEnd().length > room)
      lines.push(part);
    else lines[lines.length - 1] = line + part;
  }
  return lines;
}

function moduleText({ module }: Report): string {
  const parameters = Object.entries(module.parameters).map(
    ([name, value]) => `${name}=${escapeControls(value)}`,
  );
  const users =
    module.users.length > 0 ? [`used by ${module.users.join(" ")}`] : [];
  const references =
    module.references === undefined
      ? []
      : [counted(module.references, "reference")];
  const state =
    module.state === "absent" ? "ip_vs is not loaded" : `ip_vs ${module.state}`;
  return [state, ...references, ...users, ...parameters].join(", ");
}

function answerLines({ info, timeouts, daemons }: Answers): Line[] {
  const { tcpSeconds, tcpFinSeconds, udpSeconds } = timeouts;
  return [
    [
      "IPVS",
      `version ${versionText(info)}, connection table of ${info.connectionTableSize} rows`,
    ],
    [
      "Timeouts",
      `tcp ${shortDuration(tcpSeconds)}, tcp after FIN ${shortDuration(tcpFinSeconds)}, udp ${shortDuration(udpSeconds)}`,
    ],
    ...(daemons.length === 0
      ? [["Sync", "no daemon runs"] as const]
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

function connectionsText({ connectionEntries, ipvs }: Report): string {
  if (connectionEntries === undefined) return "cannot be read";
  const rows = ipvs instanceof Error ? 0 : ipvs.info.connectionTableSize;
  const load =
    rows === 0
      ? ""
      : `, ${(connectionEntries / rows).toFixed(2)} a row of the table`;
  return `${counted(connectionEntries, "entry", "entries")}${load}`;
}

function totalLines(totals: Totals): Line[] {
  const { services, servers } = totals;
  return [
    [
      "Table",
      `${counted(services, "service")}, ${counted(servers, "real server")}`,
    ],
    [
      "Servers have",
      `${shortCount(totals.activeConnections)} active, ${shortCount(totals.inactiveConnections)} inactive, ${counted(totals.persistentConnections, "connection template")}`,
    ],
    [
      "Now",
      `${shortRate(totals.connectionsPerSecond)} connections, in ${shortRate(totals.inPacketsPerSecond)} packets ${shortByteRate(totals.inBytesPerSecond)}, out ${shortRate(totals.outPacketsPerSecond)} packets ${shortByteRate(totals.outBytesPerSecond)}`,
    ],
    [
      "So far",
      `${shortCount(totals.connections)} connections, in ${shortCount(totals.inPackets)} packets ${shortBytes(totals.inBytes)}, out ${shortCount(totals.outPackets)} packets ${shortBytes(totals.outBytes)}`,
    ],
  ];
}

function mayText({ may }: Report): string {
  const parts = [
    [may.administerNetworks, "ask for and change the table (CAP_NET_ADMIN)"],
    [may.readConnections, "read the connections"],
    [may.openRawSockets, "open raw sockets (CAP_NET_RAW)"],
  ] as const;
  const allowed = parts.filter(([yes]) => yes).map(([, what]) => what);
  const denied = parts.filter(([yes]) => !yes).map(([, what]) => `not ${what}`);
  return [...allowed, ...denied].join(", ");
}

function sysctlText({ sysctls }: Report): string {
  if (sysctls === undefined) return "there is no net.ipv4.vs";
  return sysctls.length === 0
    ? "all of net.ipv4.vs as the kernel makes them"
    : `${sysctls.length} of net.ipv4.vs changed:`;
}

function faultText(error: Error): string {
  return explain(error)?.fault ?? error.message;
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** The report for programs. */
export function statusJson(report: Report): Json {
  const { kernel, module, ipvs, connectionEntries, sysctls, may } = report;
  return {
    schema: "ipvsadm/status/1",
    kernel: kernel ?? null,
    module: { ...module },
    ipvs: ipvs instanceof Error ? null : answersJson(ipvs),
    error: ipvs instanceof Error ? faultText(ipvs) : undefined,
    connectionEntries: connectionEntries ?? null,
    sysctls: sysctls?.map((changed) => ({ ...changed })) ?? null,
    may: { ...may },
  };
}

function answersJson({ info, timeouts, daemons, totals }: Answers): Json {
  return {
    version: versionText(info),
    connectionTableSize: info.connectionTableSize,
    timeouts: { ...timeouts },
    daemons: daemons.map((daemon) => ({
      role: daemon.state === MASTER ? "master" : "backup",
      interface: escapeControls(daemon.multicastInterface),
      syncId: daemon.syncId,
      maximumLength: daemon.maximumLength,
      group: daemon.multicastGroup && formatAddress(daemon.multicastGroup),
      port: daemon.multicastPort,
      ttl: daemon.multicastTtl,
    })),
    totals: { ...totals },
  };
}
