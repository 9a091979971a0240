import { ByteBuilder, type TextBuilder } from "../text/text-builder.js";
import { jsonText, type Json } from "../document/json-text.js";
import { escapeControls, toBytes } from "./escape.js";

/** The formats for programs. */
export type RecordFormat = "json" | "ndjson" | "csv" | "yaml";

/** The value of a field. Undefined: JSON and YAML leave the field out, CSV leaves it empty. */
export type Value = string | number | bigint | boolean | undefined;

/** A field of a record. Its name is the same in every format. */
export type Field<Item> = { readonly name: string } & (
  | {
      /** Writes a text that needs no quotes or escapes in any format: letters, digits, addresses. The fast way */
      readonly write: (out: TextBuilder, item: Item) => void;
      /** Whether an item has the field. Default: every item has it */
      readonly when?: (item: Item) => boolean;
    }
  | {
      /** Not undefined for the first field */
      readonly value: (item: Item) => Value;
    }
);

/** What separates and encloses records and fields. */
interface Punctuation {
  readonly first: string;
  readonly next: string;
  readonly between: string;
  readonly close: string;
  /** After the last record */
  readonly end: string;
  /** In place of the records, if there are none */
  readonly none: string;
  readonly key: (name: string) => string;
  readonly quote: string;
}

const JSON_FIELDS = {
  between: ",",
  close: "}",
  key: (name: string) => `"${name}":`,
  quote: '"',
};

const PUNCTUATION: Readonly<Record<RecordFormat, Punctuation>> = {
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
    key: (name) => `${name}: `,
    quote: '"',
  },
};

/**
 * Writes a list of records one by one, so the list may have any length.
 *
 * - json: an object with header members and the list
 * - ndjson: one object per line
 * - csv: a line of field names, then one line per record. RFC 4180, but lines end in a line feed alone
 * - yaml: the same document as json. Strings are written as in JSON, which is valid YAML
 */
export class RecordWriter<Item> {
  readonly #format: RecordFormat;
  readonly #marks: Punctuation;
  readonly #out: TextBuilder;
  readonly #fields: readonly Field<Item>[];
  /** The text before the value of each field */
  readonly #prefixes: readonly string[];
  #isFirst = true;

  /** @param out receives UTF-8, one character per byte */
  constructor(
    format: RecordFormat,
    out: TextBuilder,
    fields: readonly Field<Item>[],
  ) {
    this.#format = format;
    this.#marks = PUNCTUATION[format];
    this.#out = out;
    this.#fields = fields;
    const { between, key, quote } = this.#marks;
    this.#prefixes = fields.map(
      (field, i) =>
        (i > 0 ? between : "") +
        key(field.name) +
        ("write" in field ? quote : ""),
    );
  }

  /** Writes what comes before the records. @param list the name of the list */
  begin(header: Readonly<Record<string, Json>>, list: string): void {
    const members = Object.entries(header);
    switch (this.#format) {
      case "json":
        this.#out.text("{\n");
        for (const [name, value] of members)
          this.#out.text(toBytes(`  "${name}": ${jsonText(value, 0)},\n`));
        this.#out.text(`  "${list}": [`);
        break;
      case "yaml":
        for (const [name, value] of members)
          this.#out.text(toBytes(`${name}: ${jsonText(value, 0)}\n`));
        this.#out.text(`${list}:`);
        break;
      case "csv":
        this.#out.text(this.#fields.map(({ name }) => name).join(","));
        break;
      case "ndjson":
        break;
    }
  }

  /** Writes a record. */
  add(item: Item): void {
    const { first, next, close } = this.#marks;
    this.#out.text(this.#isFirst ? first : next);
    this.#isFirst = false;
    for (let i = 0; i < this.#fields.length; i++) {
      const field = this.#fields[i];
      if (field) this.#write(field, this.#prefixes[i] ?? "", item);
    }
    this.#out.text(close);
  }

  /** Writes what comes after the records. */
  end(): void {
    this.#out.text(this.#isFirst ? this.#marks.none : this.#marks.end);
  }

  #write(field: Field<Item>, prefix: string, item: Item): void {
    const out = this.#out;
    if ("write" in field) {
      if (field.when?.(item) === false) {
        if (this.#format === "csv") out.text(prefix);
        return;
      }
      field.write(out.text(prefix), item);
      out.text(this.#marks.quote);
      return;
    }
    const value = field.value(item);
    if (value === undefined && this.#format !== "csv") return;
    out.text(prefix);
    switch (typeof value) {
      case "undefined":
        return;
      case "string":
        out.text(
          toBytes(this.#format === "csv" ? csvText(value) : jsonString(value)),
        );
        return;
      case "number":
        if (Number.isInteger(value) && value >= 0) {
          out.decimal(value);
          return;
        }
    }
    out.text(String(value));
  }
}

/** How much text a chunk has at least. */
const CHUNK_CHARACTERS = 64 * 1024;

/**
 * Writes records in chunks.
 *
 * @returns UTF-8, one character per byte
 */
export function* recordChunks<Item>(
  format: RecordFormat,
  fields: readonly Field<Item>[],
  header: Readonly<Record<string, Json>>,
  list: string,
  items: Iterable<Item>,
): Generator<string> {
  const out = new ByteBuilder();
  const writer = new RecordWriter(format, out, fields);
  writer.begin(header, list);
  for (const item of items) {
    writer.add(item);
    if (out.length >= CHUNK_CHARACTERS) yield out.take();
  }
  writer.end();
  yield out.take();
}

/** Writes a string as JSON. All characters that can steer a terminal are escaped. */
function jsonString(text: string): string {
  return JSON.stringify(text).replace(
    /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu,
    (character) =>
      `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/**
 * Writes a string as a field of CSV, without control characters. A text that a spreadsheet would run as a formula gets an
 * apostrophe in front: host names come from the network.
 */
export function csvText(text: string): string {
  const visible = escapeControls(text);
  const safe = /^[=+\-@]/.test(visible) ? `'${visible}` : visible;
  return /[",]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
