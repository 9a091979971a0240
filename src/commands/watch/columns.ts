import { FORWARDING } from "../../document/enum-names.js";
import type { Style } from "../../cli/color.js";
import { escapeControls } from "../../cli/escape.js";
import { limitsText } from "../../cli/server-settings.js";
import { STATE_STYLES, stateText } from "../../cli/state-text.js";
import { shortCount } from "../../cli/units.js";
import { changeText, weightText } from "./changes.js";
import { DEFAULT_COLUMNS, type WatchColumnKey } from "./column-keys.js";
import { SLOTS, sparkline } from "./history.js";
import type { Rates } from "./rates.js";
import { historyRateFor, type Row, type SortKey } from "./rows.js";
import { isPresent } from "./sampler.js";

interface StyledText {
  readonly text: string;
  readonly style?: Style | undefined;
}

/** What the cells of a frame depend on, apart from the row. */
export interface CellContext {
  readonly sort: SortKey;
  /** The time of the reading, in seconds of the clock */
  readonly at: number;
  /** How many slots of the history are known, up to SLOTS */
  readonly slots: number;
}

export interface WatchColumn {
  readonly key: WatchColumnKey;
  readonly title: string;
  /** The same in every frame, so that columns do not move */
  readonly width: number;
  readonly align: "left" | "right";
  cell(row: Row, context: CellContext, width: number): StyledText;
}

/** Fits all states but `all overloaded`, which is rare. */
const STATE_WIDTH = "overloaded?".length;

const COLUMNS: Readonly<Record<WatchColumnKey, Omit<WatchColumn, "key">>> = {
  state: {
    title: "State",
    width: STATE_WIDTH,
    align: "left",
    cell({ service, server }) {
      const shown = server ?? service;
      if (!isPresent(shown)) return { text: "" };
      const { state } = shown;
      return { text: stateText(state), style: STATE_STYLES[state] ?? "dim" };
    },
  },
  method: {
    title: "Method",
    width: 8,
    align: "left",
    cell: ({ service, server }) => ({
      text: server
        ? (FORWARDING.word(server.entry.settings.forwarding) ?? "?")
        : escapeControls(service.entry.settings.scheduler),
    }),
  },
  weight: {
    title: "Weight",
    width: 6,
    align: "right",
    cell({ server }) {
      if (!server) return { text: "" };
      const { weight } = server.entry.settings;
      return {
        text: weightText(weight),
        style: weight === 0 ? "warning" : undefined,
      };
    },
  },
  active: countColumn("Active", "activeConnections", "active"),
  inactive: countColumn("Inactive", "inactiveConnections"),
  persistent: countColumn("Persist", "persistentConnections"),
  limits: {
    title: "Limits",
    width: 11,
    align: "right",
    cell: ({ server }) => ({
      text: server ? limitsText(server.entry.settings) : "",
    }),
  },
  rate: rateColumn("Conn/s", "connections", "connections"),
  "packets-in-rate": rateColumn("In pkt/s", "inPackets", "packets"),
  "packets-out-rate": rateColumn("Out pkt/s", "outPackets", "packets"),
  "in-rate": rateColumn("In B/s", "inBytes", "bytes"),
  "out-rate": rateColumn("Out B/s", "outBytes", "bytes"),
  change: {
    title: "Change",
    width: 10,
    align: "left",
    cell({ service, server }) {
      const { change } = server ?? service;
      const style = { new: "good", gone: "bad", edited: "warning" } as const;
      return {
        text: changeText(change),
        style: change && style[change.kind],
      };
    },
  },
  history: {
    title: "Last minute",
    width: SLOTS,
    align: "left",
    cell: ({ service, server }, { sort, at, slots }, width) => ({
      text: recentBars(
        (server ?? service).history.values(historyRateFor(sort), at),
        slots,
        width,
      ),
      style: server ? "dim" : "name",
    }),
  },
};

/** The columns of these keys, in this order. */
function columnsOf(keys: readonly WatchColumnKey[]): WatchColumn[] {
  return keys.map((key) => ({ ...COLUMNS[key], key }));
}

/** The title of a column. */
export function columnTitle(key: WatchColumnKey): string {
  return COLUMNS[key].title;
}

/**
 * Bars for the known part of the last minute. All lines begin at the same time, so that they can be compared.
 *
 * @param values one for each slot of the minute
 * @param width of the bars of a whole minute
 */
export function recentBars(
  values: readonly number[],
  slots: number,
  width: number,
): string {
  if (slots === 0) return "";
  const columns = Math.ceil((width * slots) / SLOTS);
  return sparkline(values.slice(SLOTS - slots), columns);
}

/** A column for connections. For a service, it is the sum over its servers. */
function countColumn(
  title: string,
  name: "activeConnections" | "inactiveConnections" | "persistentConnections",
  sort?: SortKey,
): Omit<WatchColumn, "key"> {
  return {
    title,
    width: Math.max(title.length, 6),
    align: "right",
    cell({ service, server }, context) {
      if (!isPresent(server ?? service)) return { text: "-" };
      const count = server
        ? server.entry[name]
        : service.servers
            .filter(isPresent)
            .reduce((sum, { entry }) => sum + entry[name], 0);
      return {
        text: shortCount(count),
        style:
          count === 0 ? "dim" : context.sort === sort ? "strong" : undefined,
      };
    },
  };
}

function rateColumn(
  title: string,
  name: keyof Rates,
  sort: SortKey,
): Omit<WatchColumn, "key"> {
  return {
    title,
    width: Math.max(title.length, 6),
    align: "right",
    cell({ service, server }, context) {
      const rate = (server ?? service).rates?.[name];
      return {
        text: rateText(rate),
        style: rate ? (context.sort === sort ? "strong" : undefined) : "dim",
      };
    },
  };
}

/** A rate in at most five characters. Rates below 10 have a decimal. An unknown rate is `-`. */
export function rateText(rate: number | undefined): string {
  if (rate === undefined) return "-";
  if (rate === 0) return "0";
  if (rate < 0.05) return "<0.1";
  return rate < 9.95 ? rate.toFixed(1) : shortCount(Math.round(rate));
}

/** The columns that fit a line. */
export interface Layout {
  /** The width of the name */
  readonly nameWidth: number;
  /** The spaces between columns */
  readonly gap: number;
  readonly columns: readonly WatchColumn[];
}

/** What is left out in a narrow terminal, in this order. The help lists it. */
const DROP_ORDER: readonly (readonly string[])[] = [
  ["half minute"],
  ["gap"],
  ["method"],
  ["packets-in-rate", "packets-out-rate"],
  ["history"],
  ["active"],
  ["long names"],
  ["out-rate"],
  ["weight"],
  ["state"],
];

/** The same for chosen columns: after that, the last ones. */
function dropOrderOf(
  chosen: readonly WatchColumnKey[],
): readonly (readonly string[])[] {
  return [...DROP_ORDER, ...chosen.toReversed().map((key) => [key])];
}

/** Names are not cut below LONG_NAME before "long names" is left out, and then not below SHORT_NAME. */
const LONG_NAME = 24;
const SHORT_NAME = 16;

/** The narrowest table that has room for the columns that are never left out. */
export const NARROWEST =
  SHORT_NAME +
  columnsOf(["rate", "in-rate", "change"]).reduce(
    (sum, { width }) => sum + width + 1,
    0,
  );

/**
 * Chooses the columns that fit.
 *
 * @param width the width of the terminal. Undefined: no limit
 * @param longestName the length of the longest name
 * @param chosen the columns that the user chose. Empty: the default ones
 * @param widestState the length of the longest state, if it is shown
 */
export function layoutFor(
  width: number | undefined,
  longestName: number,
  chosen: readonly WatchColumnKey[] = [],
  widestState = 0,
): Layout {
  const order = chosen.length > 0 ? dropOrderOf(chosen) : DROP_ORDER;
  const all = columnsOf(chosen.length > 0 ? chosen : DEFAULT_COLUMNS);
  for (let steps = 0; ; steps++) {
    const dropped = new Set<string>(order.slice(0, steps).flat());
    const gap = dropped.has("gap") ? 1 : 2;
    const columns = all
      .filter(({ key }) => !dropped.has(key))
      .map((column) => {
        if (column.key === "history" && dropped.has("half minute"))
          return { ...column, width: SLOTS / 2 };
        if (column.key === "state")
          return { ...column, width: Math.max(column.width, widestState) };
        return column;
      });
    const taken = columns.reduce((sum, { width }) => sum + width + gap, 0);
    const shortest = dropped.has("long names") ? SHORT_NAME : LONG_NAME;
    const room = (width ?? Infinity) - taken;
    if (room >= Math.min(shortest, longestName) || steps === order.length)
      return {
        nameWidth: Math.min(longestName, Math.max(room, 1)),
        gap,
        columns,
      };
  }
}
