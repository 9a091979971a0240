import { FORWARDING } from "../../document/enum-names.js";
import type { Style } from "../../cli/color.js";
import { escapeControls } from "../../cli/escape.js";
import { shortCount } from "../../cli/units.js";
import { changeText, weightText } from "./changes.js";
import { sparkline } from "./history.js";
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
}

export interface WatchColumn {
  readonly id: string;
  readonly title: string;
  /** The same in every frame, so that columns do not move */
  readonly width: number;
  readonly align: "left" | "right";
  cell(row: Row, context: CellContext, width: number): StyledText;
}

/** The columns after the name, in their order. */
const COLUMNS: readonly WatchColumn[] = [
  {
    id: "method",
    title: "Method",
    width: 8,
    align: "left",
    cell: ({ service, server }) => ({
      text: server
        ? (FORWARDING.word(server.entry.settings.forwarding) ?? "?")
        : escapeControls(service.entry.settings.scheduler),
    }),
  },
  {
    id: "weight",
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
  {
    id: "active",
    title: "Active",
    width: 6,
    align: "right",
    cell: ({ service, server }, { sort }) => ({
      text: isPresent(server ?? service)
        ? shortCount(
            server ? server.entry.activeConnections : service.activeConnections,
          )
        : "-",
      style: sort === "active" ? "strong" : undefined,
    }),
  },
  rateColumn("conns", "Conn/s", "connections", "connections"),
  rateColumn("packets", "In pkt/s", "inPackets", "packets"),
  rateColumn("packets", "Out pkt/s", "outPackets", "packets"),
  rateColumn("bytes", "In B/s", "inBytes", "bytes"),
  rateColumn("out", "Out B/s", "outBytes", "bytes"),
  {
    id: "minute",
    title: "Last minute",
    width: 30,
    align: "left",
    cell: ({ service, server }, { sort, at }, width) => ({
      text: sparkline(
        (server ?? service).history.values(historyRateFor(sort), at),
        width,
      ),
      style: server ? "dim" : "name",
    }),
  },
  {
    id: "change",
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
];

function rateColumn(
  id: string,
  title: string,
  name: keyof Rates,
  sort: SortKey,
): WatchColumn {
  return {
    id,
    title,
    width: Math.max(title.length, 6),
    align: "right",
    cell: ({ service, server }, context) => ({
      text: rateText((server ?? service).rates?.[name]),
      style: context.sort === sort ? "strong" : undefined,
    }),
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
const DROP_ORDER = [
  "half minute",
  "gap",
  "method",
  "packets",
  "active",
  "minute",
  "long names",
  "out",
  "weight",
] as const;

/** Names are not cut below LONG_NAME before "long names" is left out, and then not below SHORT_NAME. */
const LONG_NAME = 24;
const SHORT_NAME = 16;

/** The narrowest terminal that has room for the columns that are never left out. */
export const NARROWEST =
  SHORT_NAME +
  COLUMNS.filter(({ id }) => ["conns", "bytes", "change"].includes(id)).reduce(
    (sum, { width }) => sum + width + 1,
    0,
  );

/**
 * Chooses the columns that fit.
 *
 * @param width the width of the terminal. Undefined: no limit
 * @param longestName the length of the longest name
 */
export function layoutFor(
  width: number | undefined,
  longestName: number,
): Layout {
  for (let steps = 0; ; steps++) {
    const dropped = new Set<string>(DROP_ORDER.slice(0, steps));
    const gap = dropped.has("gap") ? 1 : 2;
    const columns = COLUMNS.filter(({ id }) => !dropped.has(id)).map(
      (column) =>
        column.id === "minute" && dropped.has("half minute")
          ? { ...column, width: 15 }
          : column,
    );
    const taken = columns.reduce((sum, { width }) => sum + width + gap, 0);
    const shortest = dropped.has("long names") ? SHORT_NAME : LONG_NAME;
    const room = (width ?? Infinity) - taken;
    if (room >= Math.min(shortest, longestName) || steps === DROP_ORDER.length)
      return {
        nameWidth: Math.min(longestName, Math.max(room, 1)),
        gap,
        columns,
      };
  }
}
