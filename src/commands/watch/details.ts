import type { ServerSettings } from "../../ipvs/model.js";
import { serviceText } from "../../cli/changes/change-text.js";
import type { Display } from "../../cli/output.js";
import { forwardingText, limitsText } from "../../cli/server-settings.js";
import { STATE_STYLES, stateText } from "../../cli/state-text.js";
import { drawTable } from "../../cli/table.js";
import {
  counted,
  shortBytes,
  shortCount,
  shortDuration,
} from "../../cli/units.js";
import { changeText } from "./changes.js";
import { rateText } from "./columns.js";
import { connectionLines, type KnownConnections } from "./connection-lines.js";
import { fitLine, type Part } from "./frame.js";
import { sparkline } from "./history.js";
import { labeled } from "./labeled-line.js";
import { HISTORY_RATES, rateOf } from "./rates.js";
import { RATE_UNITS, type Row } from "./rows.js";
import { isPresent, type WatchedServer } from "./sampler.js";

const BAR_COLUMNS = 20;

/** Everything about one service or server. @param at the time of the reading, in seconds of the clock */
export function detailLines(
  row: Row,
  at: number,
  connections: KnownConnections,
  display: Display,
): string[] {
  const { service, server } = row;
  return [
    titleLine(row, display),
    "",
    ...(server ? serverLines(server, display) : serviceLines(row, display)),
    ...changeLines(row, at, display),
    "",
    ...rateLines(row, at, display),
    ...(server ? [] : serverTable(service.servers, display)),
    "",
    ...connectionLines(row, connections, display),
  ];
}

function titleLine({ service, server }: Row, display: Display): string {
  const name = server ? `${server.name} of ${service.name}` : service.name;
  const shown = server ?? service;
  return fitLine(
    [
      { text: name, style: "strong" },
      isPresent(shown)
        ? { text: stateText(shown.state), style: STATE_STYLES[shown.state] }
        : { text: "not in the table any more", style: "bad" },
    ],
    display,
  );
}

function serverLines(server: WatchedServer, display: Display): string[] {
  const { settings, ...entry } = server.entry;
  const { activeConnections, inactiveConnections, persistentConnections } =
    entry;
  return [
    labeled("Method", [forwardingText(settings)], display),
    labeled(
      "Weight",
      [
        {
          text: String(settings.weight),
          style: settings.weight === 0 ? "warning" : undefined,
        },
      ],
      display,
    ),
    labeled(
      "Thresholds",
      thresholdParts(settings, activeConnections + inactiveConnections),
      display,
    ),
    labeled(
      "Connections",
      [
        `${activeConnections} active`,
        `${inactiveConnections} inactive`,
        `${persistentConnections} persistent`,
      ],
      display,
    ),
  ];
}

/** How near a server is to its upper threshold, as a bar and in numbers. */
function thresholdParts(
  { upperThreshold: upper, lowerThreshold: lower }: ServerSettings,
  connections: number,
): Part[] {
  if (upper === 0) return [{ text: "none", style: "dim" }];
  const share = Math.min(connections / upper, 1);
  const full = Math.round(share * BAR_COLUMNS);
  const bar = "█".repeat(full) + "░".repeat(BAR_COLUMNS - full);
  const style = share >= 1 ? "bad" : share >= 0.75 ? "warning" : "good";
  const again = lower === 0 ? Math.ceil((upper * 3) / 4) : lower;
  return [
    { text: `${bar} ${connections} of ${upper}`, style },
    { text: `accepts connections again below ${again}`, drop: 1 },
  ];
}

function serviceLines({ service }: Row, display: Display): string[] {
  const present = service.servers.filter(isPresent);
  const states = new Map<string, number>();
  for (const { state } of present)
    states.set(stateText(state), (states.get(stateText(state)) ?? 0) + 1);
  const sum = (
    name: "activeConnections" | "inactiveConnections" | "persistentConnections",
  ) => present.reduce((total, { entry }) => total + entry[name], 0);
  return [
    labeled("Scheduler", [serviceText(service.entry.settings)], display),
    labeled(
      "Servers",
      [
        String(present.length),
        ...Array.from(states, ([state, count]) => `${count} ${state}`),
      ],
      display,
    ),
    labeled(
      "Connections",
      [
        `${sum("activeConnections")} active`,
        `${sum("inactiveConnections")} inactive`,
        `${sum("persistentConnections")} persistent`,
      ],
      display,
    ),
  ];
}

function changeLines(
  { service, server }: Row,
  at: number,
  display: Display,
): string[] {
  const { change } = server ?? service;
  if (!change) return [];
  const what = server ? "weight" : "scheduler";
  const text = changeText(change);
  return [
    labeled(
      "Change",
      [
        `${change.kind === "edited" ? `${what} ` : ""}${text}, ${shortDuration(at - change.at)} ago`,
      ],
      display,
    ),
  ];
}

/** The rates now, their highest values and their history, and the counters. */
function rateLines(
  { service, server }: Row,
  at: number,
  display: Display,
): string[] {
  const { rates, history, entry } = server ?? service;
  const { stats } = entry;
  const rows = HISTORY_RATES.map((kind) => {
    const values = history.values(kind, at);
    const known = values.filter((value) => !Number.isNaN(value));
    return [
      RATE_UNITS[kind],
      rateText(rates && rateOf(rates, kind)),
      rateText(known.length === 0 ? undefined : Math.max(...known)),
      {
        text: sparkline(values, values.length).trimStart(),
        style: "name" as const,
      },
    ];
  });
  const columns = [
    { title: "Rate" },
    { title: "Now", align: "right" as const },
    { title: "Highest", align: "right" as const },
    { title: "Last minute", drop: 1 },
  ];
  return [
    ...drawTable(columns, rows, display),
    labeled(
      "Total",
      [
        counted(
          Number(stats.connections),
          "connection",
          undefined,
          shortCount(stats.connections),
        ),
        `in ${shortCount(stats.inPackets)} packets ${shortBytes(stats.inBytes)}`,
        `out ${shortCount(stats.outPackets)} packets ${shortBytes(stats.outBytes)}`,
      ],
      display,
    ),
  ];
}

function serverTable(
  servers: readonly WatchedServer[],
  display: Display,
): string[] {
  if (servers.length === 0) return [];
  const columns = [
    { title: "Server", shortest: 16 },
    { title: "State" },
    { title: "Weight", align: "right" as const },
    { title: "Active", align: "right" as const },
    { title: "Inactive", align: "right" as const, drop: 1 },
    { title: "Limits", align: "right" as const, drop: 2 },
    { title: "Conn/s", align: "right" as const },
  ];
  const rows = servers.map((server) => {
    const { name, state, entry, rates } = server;
    const present = isPresent(server);
    return [
      { text: name, style: present ? undefined : ("dim" as const) },
      {
        text: present ? stateText(state) : "gone",
        style: present ? STATE_STYLES[state] : ("bad" as const),
      },
      String(entry.settings.weight),
      shortCount(entry.activeConnections),
      shortCount(entry.inactiveConnections),
      limitsText(entry.settings),
      rateText(rates?.connections),
    ];
  });
  return ["", ...drawTable(columns, rows, display)];
}
