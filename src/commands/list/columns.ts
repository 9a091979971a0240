import { formatNarrowMask, ONE_PACKET, PERSISTENT } from "../../ipvs/model.js";
import { schedulerBitNames } from "../../ipvs/scheduler-flags.js";
import type {
  AssessedServer,
  AssessedService,
  ServerState,
  ServiceState,
} from "../../ipvs/state.js";
import { forwardingText, limitsText } from "../../cli/server-settings.js";
import { cutWords, type Cell, type Column } from "../../cli/table.js";
import { escapeControls } from "../../cli/escape.js";
import { STATE_STYLES, stateText } from "../../cli/state-text.js";
import { shortBytes, shortCount } from "../../cli/units.js";
import type { EndpointNames } from "./endpoint-names.js";
import type { ColumnKey } from "./option-values.js";
import {
  byKind,
  type Figures,
  type Row,
  type ServerRow,
  type ServiceRow,
} from "./rows.js";

/** A column of the listing. */
export interface ListColumn extends Column {
  /** For people */
  readonly cell: (row: Row) => Cell | undefined;
  /** For CSV: the fields of JSON that the column stands for. A field of an object has a dot: `tunnel.port` */
  readonly fields: readonly string[];
}

/** Dims zeros, so that other numbers stand out. */
function dimZero(text: string, value: number | bigint): Cell {
  return BigInt(value) === 0n ? { text, style: "dim" } : text;
}

/** A column for a counter, a rate or a number of connections. */
function figureColumn(
  title: string,
  name: keyof Figures,
  drop?: number,
  format: (value: number | bigint) => string = shortCount,
): ListColumn {
  return {
    title,
    align: "right",
    ...(drop !== undefined && { drop }),
    cell: ({ figures }) => dimZero(format(figures[name]), figures[name]),
    fields: [name.endsWith("Connections") ? name : `stats.${name}`],
  };
}

/** What tells most comes first: `wrr persist 300 mask 255.255.255.0 pe sip ops (flags)`. */
function methodText({ settings }: AssessedService): string {
  const { scheduler, flags, timeoutSeconds, persistenceEngine } = settings;
  const mask = formatNarrowMask(settings.netmask);
  const names = schedulerBitNames(scheduler, flags);
  return [
    scheduler,
    ...(flags & PERSISTENT
      ? [
          `persist ${timeoutSeconds}`,
          ...(mask === undefined ? [] : [`mask ${mask}`]),
          ...(persistenceEngine ? [`pe ${persistenceEngine}`] : []),
        ]
      : []),
    ...(flags & ONE_PACKET ? ["ops"] : []),
    ...(names.length > 0 ? [`(${names.join(",")})`] : []),
  ].join(" ");
}

/** The columns for the scheduler or forwarding method and the persistence timeout, with a mark if more follows. */
function importantMethod(text: string): number {
  const important = /^\S*(?: persist [0-9]+)?/.exec(text)?.[0] ?? "";
  return important.length + (important === text ? 0 : 1);
}

function shareText({ share }: AssessedServer): string {
  return share > 0 && share < 0.005 ? "<1%" : `${Math.round(share * 100)}%`;
}

/** All columns of a listing. */
export function columnsWith(
  names: EndpointNames,
): Readonly<Record<ColumnKey, ListColumn>> {
  const serviceName = ({ service }: ServiceRow | ServerRow) =>
    names.service(service.key);
  const serverName = ({ service, server }: ServerRow) =>
    names.server(service.key, server.key);
  return {
    name: {
      title: "Service",
      cell: byKind<Cell>({
        service: (row) => ({
          text: serviceName(row),
          style: STATE_STYLES[row.service.state] ?? "strong",
        }),
        server: (row) => ({
          text: `  ${serverName(row)}`,
          style: STATE_STYLES[row.server.state],
        }),
        total: () => ({ text: "Total", style: "strong" }),
      }),
      fields: [
        "kind",
        "service",
        "server",
        "protocol",
        "address",
        "port",
        "family",
        "firewallMark",
      ],
    },
    ...COLUMNS,
  };
}

const stateOf = byKind<ServiceState | ServerState>({
  service: ({ service }) => service.state,
  server: ({ server }) => server.state,
});

const weightOf = byKind<number>({
  service: ({ service }) => service.effectiveWeight,
  server: ({ server }) => server.settings.weight,
});

/** The columns that do not depend on names. */
const COLUMNS: Readonly<Record<Exclude<ColumnKey, "name">, ListColumn>> = {
  state: {
    title: "State",
    drop: -3,
    cell(row) {
      const state = stateOf(row);
      return (
        state && { text: stateText(state), style: STATE_STYLES[state] ?? "dim" }
      );
    },
    fields: ["state"],
  },
  method: {
    title: "Method",
    drop: 1,
    shortest: 0,
    preferred: importantMethod,
    cut: cutWords,
    cell: byKind<Cell>({
      service: ({ service }) => escapeControls(methodText(service)),
      server: ({ server }) => forwardingText(server.settings),
    }),
    fields: [
      "scheduler",
      "schedulerFlags",
      "persistence.enabled",
      "persistence.timeoutSeconds",
      "persistence.netmask",
      "persistence.engine",
      "onePacket",
      "forwarding",
      "tunnel.type",
      "tunnel.port",
      "tunnel.checksum",
    ],
  },
  weight: {
    title: "Weight",
    align: "right",
    drop: 0,
    cell(row) {
      const state = stateOf(row);
      return (
        state && { text: String(weightOf(row)), style: STATE_STYLES[state] }
      );
    },
    fields: ["weight", "effectiveWeight"],
  },
  share: {
    title: "Share",
    align: "right",
    drop: 4,
    cell: byKind<Cell>({
      server: ({ server }) =>
        dimZero(shareText(server), Math.ceil(server.share)),
    }),
    fields: ["share"],
  },
  active: figureColumn("Active", "activeConnections", -2),
  inactive: figureColumn("Inactive", "inactiveConnections", 5),
  persistent: figureColumn("Persist", "persistentConnections", 7),
  limits: {
    title: "Limits",
    align: "right",
    drop: 6,
    cell: byKind<Cell>({
      server: ({ server: { settings, state } }) => ({
        text: limitsText(settings),
        style: state === "draining" ? undefined : STATE_STYLES[state],
      }),
    }),
    fields: ["upperThreshold", "lowerThreshold"],
  },
  rate: figureColumn("Conn/s", "connectionsPerSecond", -1),
  "in-rate": figureColumn("In/s", "inBytesPerSecond", 2, shortBytes),
  "out-rate": figureColumn("Out/s", "outBytesPerSecond", 3, shortBytes),
  "packets-in-rate": figureColumn("Pkts in/s", "inPacketsPerSecond", 13),
  "packets-out-rate": figureColumn("Pkts out/s", "outPacketsPerSecond", 14),
  total: figureColumn("Conns", "connections", 8),
  in: figureColumn("In", "inBytes", 9, shortBytes),
  out: figureColumn("Out", "outBytes", 10, shortBytes),
  "packets-in": figureColumn("Pkts in", "inPackets", 11),
  "packets-out": figureColumn("Pkts out", "outPackets", 12),
};
