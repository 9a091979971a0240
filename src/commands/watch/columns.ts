import {
  DIRECT_ROUTING,
  LOCAL_NODE,
  MASQUERADING,
  TUNNELING,
} from "../../ipvs/model.js";
import type { Style } from "../../cli/color.js";
import { escapeControls } from "../../cli/escape.js";
import { shortCount } from "../../cli/units.js";
import { changeText, weightText } from "./change-marks.js";
import { sparkline } from "./history.js";
import type { Rates } from "./rates.js";
import { sparkedBy, type Row, type SortKey } from "./rows.js";
import { isThere } from "./sampler.js";

/** What a row says in a column, and how it is meant. */
interface Said {
  readonly text: string;
  readonly style?: Style | undefined;
}

/** What the cells of a frame depend on, apart from the row. */
export interface Shown {
  readonly sort: SortKey;
  /** Now, in seconds of the clock */
  readonly at: number;
}

export interface ColumnPlan {
  readonly id: string;
  readonly title: string;
  /** The same for every frame, so that nothing moves but the figures */
  readonly width: number;
  readonly align: "left" | "right";
  say(row: Row, shown: Shown, width: number): Said;
}

/** Forwarding methods in a word */
export const FORWARDING_WORDS: Readonly<Record<number, string>> = {
  [MASQUERADING]: "masq",
  [LOCAL_NODE]: "local",
  [TUNNELING]: "tunnel",
  [DIRECT_ROUTING]: "route",
};

/** The columns behind the name, in the order in which they stand. */
const COLUMNS: readonly ColumnPlan[] = [
  {
    id: "method",
    title: "Method",
    width: 8,
    align: "left",
    say: ({ service, server }) => ({
      text: server
        ? (FORWARDING_WORDS[server.entry.settings.forwarding] ?? "?")
        : escapeControls(service.entry.settings.scheduler),
    }),
  },
  {
    id: "weight",
    title: "Weight",
    width: 6,
    align: "right",
    say({ server }) {
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
    say: ({ service, server }, { sort }) => ({
      text: isThere(server ?? service)
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
    say: ({ service, server }, { sort, at }, width) => ({
      text: sparkline(
        (server ?? service).history.values(sparkedBy(sort), at),
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
    say({ service, server }) {
      const { change } = server ?? service;
      const style = { new: "good", gone: "bad", was: "warning" } as const;
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
): ColumnPlan {
  return {
    id,
    title,
    width: Math.max(title.length, 6),
    align: "right",
    say: ({ service, server }, shown) => ({
      text: rateText((server ?? service).rates?.[name]),
      style: shown.sort === sort ? "strong" : undefined,
    }),
  };
}

/** A rate in at most five characters, with a tenth where that matters; `-` if it is not known. */
export function rateText(rate: number | undefined): string {
  if (rate === undefined) return "-";
  if (rate === 0) return "0";
  if (rate < 0.05) return "<0.1";
  return rate < 9.95 ? rate.toFixed(1) : shortCount(Math.round(rate));
}

/** The columns that fit, and how wide the name may be. */
export interface Layout {
  readonly name: number;
  readonly gap: number;
  readonly columns: readonly ColumnPlan[];
}

/** What gives way where there is no room, the first first; the help of the subcommand tells it. */
const GIVING_WAY = [
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

/** A name is not shortened below this; below that where all else has been tried. */
const LONG_NAME = 24;
const SHORT_NAME = 16;

/** The narrowest terminal that has room for what never gives way: name, connections, bytes in, and changes. */
export const NARROWEST =
  SHORT_NAME +
  COLUMNS.filter(({ id }) => ["conns", "bytes", "change"].includes(id)).reduce(
    (sum, { width }) => sum + width + 1,
    0,
  );

/**
 * Chooses the columns.
 *
 * @param width the columns of the terminal; undefined: as many as it takes
 * @param longest the longest name
 */
export function layoutFor(width: number | undefined, longest: number): Layout {
  for (let given = 0; ; given++) {
    const away = new Set<string>(GIVING_WAY.slice(0, given));
    const gap = away.has("gap") ? 1 : 2;
    const columns = COLUMNS.filter(({ id }) => !away.has(id)).map((column) =>
      column.id === "minute" && away.has("half minute")
        ? { ...column, width: 15 }
        : column,
    );
    const taken = columns.reduce((sum, { width }) => sum + width + gap, 0);
    const least = away.has("long names") ? SHORT_NAME : LONG_NAME;
    const room = (width ?? Infinity) - taken;
    if (room >= Math.min(least, longest) || given === GIVING_WAY.length)
      return { name: Math.min(longest, Math.max(room, 1)), gap, columns };
  }
}
