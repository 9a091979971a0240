import {
  CONNECTION_STATES,
  isTemplate,
  type Phase,
} from "../../ipvs/connection-states.js";
import type { Connection } from "../../ipvs/connections.js";
import { ByteBuilder, type TextBuilder } from "../../text/text-builder.js";
import type { Style } from "../../cli/color.js";
import { keptColumns } from "../../cli/table.js";
import type { Display } from "../../cli/output.js";
import {
  stateText,
  writeClient,
  writeClock,
  writeServer,
  writeService,
  type Naming,
} from "./connection-text.js";

interface Column {
  readonly title: string;
  /** In a narrow terminal, the column with the greatest number is dropped first */
  readonly drop?: number;
  readonly write: (
    out: TextBuilder,
    connection: Connection,
    name: Naming,
  ) => void;
  readonly style?: (connection: Connection) => Style | undefined;
}

const COLUMNS: readonly Column[] = [
  { title: "Client", write: writeClient },
  { title: "Service", write: writeService },
  { title: "Server", drop: 1, write: writeServer },
  {
    title: "State",
    drop: 2,
    write(out, connection) {
      out.text(
        isTemplate(connection) ? "template" : stateText(connection.state),
      );
    },
    style: (connection) =>
      isTemplate(connection)
        ? "name"
        : STYLES[CONNECTION_STATES.get(connection.state) ?? "failed"],
  },
  {
    title: "Expires",
    drop: 3,
    write(out, connection) {
      writeClock(out, connection.expiresSeconds);
    },
  },
];

const STYLES: Readonly<Record<Phase, Style>> = {
  open: "good",
  opening: "warning",
  closing: "dim",
  failed: "bad",
};

const GAP = 2;

/** A column and its width. */
type Layout = readonly (readonly [Column, number])[];

/**
 * Writes a table of any number of connections. The first chunk determines the widths of the columns. A wider text in a later
 * chunk shifts the rest of its line to the right.
 */
export class ConnectionTable {
  readonly #out: TextBuilder;
  readonly #display: Display;
  /** Undefined before the first chunk */
  #layout: Layout | undefined;
  /** The escape sequences before and after a text in a style */
  readonly #escapes = new Map<Style, readonly [string, string]>();

  constructor(out: TextBuilder, display: Display) {
    this.#out = out;
    this.#display = display;
  }

  /** Writes a chunk of connections. The first chunk gets a title line. */
  add(connections: readonly Connection[], name: Naming): void {
    if (!this.#layout) {
      this.#layout = layoutFor(connections, name, this.#display.width);
      this.#writeTitles(this.#layout);
    }
    for (const connection of connections)
      this.#writeLine(this.#layout, connection, name);
  }

  #writeTitles(layout: Layout): void {
    for (const [i, [{ title }, width]] of layout.entries()) {
      const [start, end] = this.#escape("title");
      this.#out.text(start).text(title).text(end);
      if (i < layout.length - 1)
        this.#out.text(" ".repeat(width - title.length + GAP));
    }
    this.#out.text("\n");
  }

  #writeLine(layout: Layout, connection: Connection, name: Naming): void {
    const out = this.#out;
    const last = layout.length - 1;
    for (let i = 0; i <= last; i++) {
      const entry = layout[i];
      if (!entry) continue;
      const [column, width] = entry;
      const style = column.style?.(connection);
      const [start, end] = style ? this.#escape(style) : NO_STYLE;
      out.text(start).column();
      column.write(out, connection, name);
      if (i < last) out.pad(width + GAP - 1);
      out.text(end);
    }
    out.text("\n");
  }

  #escape(style: Style): readonly [string, string] {
    let pair = this.#escapes.get(style);
    if (!pair) {
      const [start = "", end = ""] = this.#display.paint[style]("x").split("x");
      this.#escapes.set(style, (pair = [start, end]));
    }
    return pair;
  }
}

const NO_STYLE = ["", ""] as const;

function layoutFor(
  connections: readonly Connection[],
  name: Naming,
  width: number | undefined,
): Layout {
  const out = new ByteBuilder();
  const widths = COLUMNS.map(({ title, write }) =>
    connections.reduce((widest, connection) => {
      write(out, connection, name);
      return Math.max(widest, out.take().length);
    }, title.length),
  );
  return keptColumns(COLUMNS, widths, width ?? Infinity).flatMap((at) => {
    const column = COLUMNS[at];
    return column ? [[column, widths[at] ?? 0] as const] : [];
  });
}
