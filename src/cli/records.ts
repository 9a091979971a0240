import type { TextBuilder } from "../text/text-builder.js";
import { jsonText, type Json } from "../document/json-text.js";
import { escapeControls, toBytes } from "./escape.js";

/** The formats for programs. */
export type RecordFormat = "json" | "ndjson" | "csv" | "yaml";

/** A field of a record, by how its value is written. */
export type Field<Item> = { readonly key: string } & (
  | {
      /** Letters, digits and what stands in addresses, which needs no escapes anywhere */
      readonly plain: (out: TextBuilder, item: Item) => void;
    }
  | { readonly number: (item: Item) => number | boolean }
  | {
      /** Any text; undefined if the item has none. Not for the first field */
      readonly text: (item: Item) => string | undefined;
    }
);

/** What stands around the records, and around their fields. */
interface Frame {
  readonly first: string;
  readonly next: string;
  readonly between: string;
  readonly close: string;
  /** Behind the last record, or where there is none */
  readonly end: string;
  readonly none: string;
  readonly key: (key: string) => string;
  readonly quote: string;
}

const JSON_FIELDS = {
  between: ",",
  close: "}",
  key: (key: string) => `"${key}":`,
  quote: '"',
};

const FRAMES: Readonly<Record<RecordFormat, Frame>> = {
  json: {
    ...JSON_FIELDS,
    first: "\n    {",
    next: ",\n    {",
    end: "\n  ]\n}\n",
    none: "]\n}\n",
  },
  ndjson: { ...JSON_FIELDS, first: "{", next: "\n{", end: "\n", none: "" },
  csv: {
    first: "\n",
    next: "\n",
    between: ",",
    close: "",
    end: "\n",
    none: "\n",
    key: () => "",
    quote: "",
  },
  yaml: {
    first: "\n  - ",
    next: "\n  - ",
    between: "\n    ",
    close: "",
    end: "\n",
    none: " []\n",
    key: (key) => `${key}: `,
    quote: '"',
  },
};

/**
 * Writes a list of records piece by piece, so that it may be of any length.
 *
 * - json: an object with the members of a head, and the list
 * - ndjson: an object a line
 * - csv: a line of titles, then a line for each (RFC 4180, but for the line ends)
 * - yaml: as json; texts are in the quotes of JSON, which YAML reads the same
 */
export class RecordWriter<Item> {
  readonly #format: RecordFormat;
  readonly #frame: Frame;
  readonly #out: TextBuilder;
  readonly #fields: readonly Field<Item>[];
  /** What stands before each field */
  readonly #labels: readonly string[];
  #first = true;

  constructor(
    format: RecordFormat,
    out: TextBuilder,
    fields: readonly Field<Item>[],
  ) {
    this.#format = format;
    this.#frame = FRAMES[format];
    this.#out = out;
    this.#fields = fields;
    const { between, key, quote } = this.#frame;
    this.#labels = fields.map(
      (field, i) =>
        (i > 0 ? between : "") +
        key(field.key) +
        ("plain" in field ? quote : ""),
    );
  }

  /** Writes what comes before the records. @param list what the list is called */
  begin(head: Readonly<Record<string, Json>>, list: string): void {
    const members = Object.entries(head);
    switch (this.#format) {
      case "json":
        this.#out.text("{\n");
        for (const [key, value] of members)
          this.#out.text(toBytes(`  "${key}": ${jsonText(value, 0)},\n`));
        this.#out.text(`  "${list}": [`);
        break;
      case "yaml":
        for (const [key, value] of members)
          this.#out.text(toBytes(`${key}: ${jsonText(value, 0)}\n`));
        this.#out.text(`${list}:`);
        break;
      case "csv":
        this.#out.text(this.#fields.map(({ key }) => key).join(","));
        break;
      case "ndjson":
        break;
    }
  }

  /** Writes a record. */
  add(item: Item): void {
    const { first, next, close } = this.#frame;
    this.#out.text(this.#first ? first : next);
    this.#first = false;
    for (let i = 0; i < this.#fields.length; i++) {
      const field = this.#fields[i];
      if (field) this.#write(field, this.#labels[i] ?? "", item);
    }
    this.#out.text(close);
  }

  /** Writes what comes behind the records. */
  end(): void {
    this.#out.text(this.#first ? this.#frame.none : this.#frame.end);
  }

  #write(field: Field<Item>, label: string, item: Item): void {
    const out = this.#out;
    if ("plain" in field) {
      field.plain(out.text(label), item);
      out.text(this.#frame.quote);
    } else if ("number" in field) {
      const value = field.number(item);
      out.text(label);
      if (Number.isInteger(value)) out.decimal(Number(value));
      else out.text(String(value));
    } else {
      const text = field.text(item);
      if (this.#format === "csv") out.text(label).text(toBytes(csvText(text)));
      else if (text !== undefined)
        out.text(label).text(toBytes(jsonString(text)));
    }
  }
}

/** A text as JSON, all that a terminal may take for a control character being escaped. */
function jsonString(text: string): string {
  return JSON.stringify(text).replace(
    /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu,
    (character) =>
      `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function csvText(text = ""): string {
  const shown = escapeControls(text);
  return /[",]/.test(shown) ? `"${shown.replaceAll('"', '""')}"` : shown;
}
