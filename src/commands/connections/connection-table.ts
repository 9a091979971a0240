import {
  CONNECTION_STATES,
  isTemplate,
  type Phase,
} from "../../ipvs/connection-states.js";
import type { Connection } from "../../ipvs/connections.js";
import { ByteBuilder, type TextBuilder } from "../../text/text-builder.js";
import type { Style } from "../../cli/color.js";
import { fitting } from "../../cli/table.js";
import type { Output } from "../../cli/output.js";
import {
  stateWord,
  writeClient,
  writeClock,
  writeServer,
  writeService,
  type Naming,
} from "./cells.js";

interface Column {
  readonly title: string;
  /** Where there is no room, the column with the greatest number goes first */
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
        isTemplate(connection) ? "template" : stateWord(connection.state),
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

/**
 * A table of connections of any number: the columns are as wide as the first chunk needs them, and what
 * comes later and is wider pushes the rest of its line to the right.
 */
export class ConnectionTable {
  readonly #out: TextBuilder;
  readonly #looks: Pick<Output, "paint" | "width">;
  /** The columns that are shown, and their widths; undefined before the first chunk */
  #layout: readonly (readonly [Column, number])[] | undefined;
  readonly #escapes = new Map<Style, readonly [string, string]>();

  constructor(out: TextBuilder, looks: Pick<Output, "paint" | "width">) {
    this.#out = out;
    this.#looks = looks;
  }

  /** Writes some connections, and before the first ones the titles. */
  add(connections: readonly Connection[], name: Naming): void {
    if (!this.#layout) {
      this.#layout = layoutFor(connections, name, this.#looks.width);
      this.#writeTitles(this.#layout);
    }
    for (const connection of connections)
      this.#writeLine(this.#layout, connection, name);
  }

  #writeTitles(layout: readonly (readonly [Column, number])[]): void {
    for (const [i, [{ title }, width]] of layout.entries()) {
      const [before, behind] = this.#escape("title");
      this.#out.text(before).text(title).text(behind);
      if (i < layout.length - 1)
        this.#out.text(" ".repeat(width - title.length + GAP));
    }
    this.#out.text("\n");
  }

  #writeLine(
    layout: readonly (readonly [Column, number])[],
    connection: Connection,
    name: Naming,
  ): void {
    const out = this.#out;
    const last = layout.length - 1;
    for (let i = 0; i <= last; i++) {
      const entry = layout[i];
      if (!entry) continue;
      const [column, width] = entry;
      const style = column.style?.(connection);
      const [before, behind] = style ? this.#escape(style) : NOTHING;
      out.text(before).column();
      column.write(out, connection, name);
      if (i < last) out.pad(width + GAP - 1);
      out.text(behind);
    }
    out.text("\n");
  }

  /** What stands before and behind a text in a style. */
  #escape(style: Style): readonly [string, string] {
    let pair = this.#escapes.get(style);
    if (!pair) {
      const [before = "", behind = ""] =
        this.#looks.paint[style]("x").split("x");
      this.#escapes.set(style, (pair = [before, behind]));
    }
    return pair;
  }
}

const NOTHING = ["", ""] as const;

function layoutFor(
  connections: readonly Connection[],
  name: Naming,
  width: number | undefined,
): (readonly [Column, number])[] {
  const out = new ByteBuilder();
  const widths = COLUMNS.map(({ title, write }) =>
    connections.reduce((most, connection) => {
      write(out, connection, name);
      return Math.max(most, out.take().length);
    }, title.length),
  );
  return fitting(COLUMNS, widths, width ?? Infinity).flatMap((at) => {
    const column = COLUMNS[at];
    return column ? [[column, widths[at] ?? 0] as const] : [];
  });
}
