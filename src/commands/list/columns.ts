import type { Stats } from "../../ipvs/model.js";
import type { AssessedServer, AssessedService } from "../../ipvs/state.js";
import type { Totals } from "../../ipvs/totals.js";
import { serviceSettings } from "../../view/listing.js";
import { forwardingText, limitsText } from "../../cli/server-settings.js";
import type { Style } from "../../cli/color.js";
import type { Cell, Column } from "../../cli/table.js";
import { escapeControls } from "../../cli/escape.js";
import { shortBytes, shortCount } from "../../cli/units.js";
import type { ColumnKey } from "./column-keys.js";
import type { Labels } from "./labels.js";
import { sumsOf, type Sums } from "./sums.js";

/** A column of the table: what it shows of services, real servers and all of them. */
interface ListColumn extends Column {
  readonly service: (service: AssessedService, row: ServiceRow) => Cell;
  readonly server: (server: AssessedServer, row: ServiceRow) => Cell;
  readonly total: (totals: Totals) => Cell;
}

/** What the cells of a service and its servers need beside itself. */
export interface ServiceRow {
  readonly service: AssessedService;
  readonly sums: Sums;
  readonly labels: Labels;
}

export function serviceRow(
  service: AssessedService,
  labels: Labels,
): ServiceRow {
  return { service, sums: sumsOf(service), labels };
}

/** The color of each state; there is none for what is in order. */
export const STATE_STYLES: Readonly<
  Record<AssessedService["state"] | AssessedServer["state"], Style | undefined>
> = {
  ok: undefined,
  "maybe-overloaded": "warning",
  draining: "warning",
  overloaded: "bad",
  "all-overloaded": "bad",
  "all-drained": "bad",
  "no-servers": "bad",
};

/** A state in words: `all drained`; `overloaded?` is for what the kernel does not tell. */
export function stateWords(state: keyof typeof STATE_STYLES): string {
  return state === "maybe-overloaded"
    ? "overloaded?"
    : state.replaceAll("-", " ");
}

function stateCell(state: keyof typeof STATE_STYLES): Cell {
  return { text: stateWords(state), style: STATE_STYLES[state] ?? "dim" };
}

const empty = () => "";

/** Noughts step back, so that what is there stands out. */
function figure(text: string, value: number | bigint): Cell {
  return BigInt(value) === 0n ? { text, style: "dim" } : text;
}

function count(value: number | bigint): Cell {
  return figure(shortCount(value), value);
}

function ofConnections(
  ofSums: keyof Sums,
  ofServer:
    "activeConnections" | "inactiveConnections" | "persistentConnections",
): Pick<ListColumn, "service" | "server" | "total"> {
  return {
    service: (_, { sums }) => count(sums[ofSums]),
    server: (server) => count(server[ofServer]),
    total: (totals) => count(totals[ofServer]),
  };
}

function ofStats(
  counter: keyof Stats,
  shown: (value: bigint) => string = shortCount,
): Pick<ListColumn, "service" | "server" | "total"> {
  const cell = (stats: Stats) => figure(shown(stats[counter]), stats[counter]);
  return {
    service: ({ stats }) => cell(stats),
    server: ({ stats }) => cell(stats),
    total: cell,
  };
}

function shareText({ share }: AssessedServer): string {
  return share > 0 && share < 0.005 ? "<1%" : `${Math.round(share * 100)}%`;
}

/** All columns of the table. The one with the greatest `drop` goes first where there is no room. */
export const COLUMNS: Readonly<Record<ColumnKey, ListColumn>> = {
  name: {
    title: "Service",
    service: ({ key, state }, { labels }) => ({
      text: labels.service(key),
      style: STATE_STYLES[state] ?? "strong",
    }),
    server: ({ key, state }, { service, labels }) => ({
      text: `  ${labels.server(service.key, key)}`,
      style: STATE_STYLES[state],
    }),
    total: () => ({ text: "Total", style: "strong" }),
  },
  state: {
    title: "State",
    service: ({ state }) => stateCell(state),
    server: ({ state }) => stateCell(state),
    total: empty,
  },
  method: {
    title: "Method",
    drop: 1,
    shortest: 12,
    service: (service) => escapeControls(serviceSettings(service)),
    server: ({ settings }) => forwardingText(settings),
    total: empty,
  },
  weight: {
    title: "Weight",
    align: "right",
    drop: 0,
    service: ({ effectiveWeight, state }) => ({
      text: String(effectiveWeight),
      style: STATE_STYLES[state],
    }),
    server: ({ settings, state }) => ({
      text: String(settings.weight),
      style: STATE_STYLES[state],
    }),
    total: empty,
  },
  share: {
    title: "Share",
    align: "right",
    drop: 4,
    service: empty,
    server: (server) => figure(shareText(server), Math.ceil(server.share)),
    total: empty,
  },
  active: {
    title: "Active",
    align: "right",
    ...ofConnections("active", "activeConnections"),
  },
  inactive: {
    title: "Inactive",
    align: "right",
    drop: 5,
    ...ofConnections("inactive", "inactiveConnections"),
  },
  persistent: {
    title: "Persist",
    align: "right",
    drop: 7,
    ...ofConnections("persistent", "persistentConnections"),
  },
  limits: {
    title: "Limits",
    align: "right",
    drop: 6,
    service: empty,
    server: ({ settings, state }) => ({
      text: limitsText(settings),
      style: state === "draining" ? undefined : STATE_STYLES[state],
    }),
    total: empty,
  },
  rate: {
    title: "Conn/s",
    align: "right",
    ...ofStats("connectionsPerSecond"),
  },
  "in-rate": {
    title: "In/s",
    align: "right",
    drop: 2,
    ...ofStats("inBytesPerSecond", shortBytes),
  },
  "out-rate": {
    title: "Out/s",
    align: "right",
    drop: 3,
    ...ofStats("outBytesPerSecond", shortBytes),
  },
  "packets-in-rate": {
    title: "Pkts in/s",
    align: "right",
    drop: 13,
    ...ofStats("inPacketsPerSecond"),
  },
  "packets-out-rate": {
    title: "Pkts out/s",
    align: "right",
    drop: 14,
    ...ofStats("outPacketsPerSecond"),
  },
  total: {
    title: "Conns",
    align: "right",
    drop: 8,
    ...ofStats("connections"),
  },
  in: {
    title: "In",
    align: "right",
    drop: 9,
    ...ofStats("inBytes", shortBytes),
  },
  out: {
    title: "Out",
    align: "right",
    drop: 10,
    ...ofStats("outBytes", shortBytes),
  },
  "packets-in": {
    title: "Pkts in",
    align: "right",
    drop: 11,
    ...ofStats("inPackets"),
  },
  "packets-out": {
    title: "Pkts out",
    align: "right",
    drop: 12,
    ...ofStats("outPackets"),
  },
};
