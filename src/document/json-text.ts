/** A value that can be written as JSON. A bigint becomes a number with all its digits; undefined fields are omitted. */
export type Json =
  | string
  | number
  | bigint
  | boolean
  | null
  | undefined
  | readonly Json[]
  | { readonly [key: string]: Json };

/** The fields of an object, in order. */
export type Members = Readonly<Record<string, Json>>;

/**
 * Formats a value as JSON. Integers keep all their digits, even beyond 2^53.
 *
 * @param indent spaces per level; 0 writes a single line, for ndjson
 */
export function jsonText(value: Json, indent = 2): string {
  return written(value, indent, "\n");
}

function written(value: Json, indent: number, newline: string): string {
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "object" || value === null) return quoted(value ?? null);
  const inner = newline + " ".repeat(indent);
  const items = isList(value)
    ? value.map((item) => written(item, indent, inner))
    : Object.entries(value)
        .filter(([, item]) => item !== undefined)
        .map(
          ([key, item]) =>
            `${quoted(key)}:${indent > 0 ? " " : ""}${written(item, indent, inner)}`,
        );
  const [open, close] = isList(value) ? "[]" : "{}";
  if (items.length === 0) return `${open}${close}`;
  return indent > 0
    ? `${open}${inner}${items.join(`,${inner}`)}${newline}${close}`
    : `${open}${items.join(",")}${close}`;
}

/** JSON.stringify() escapes the control characters up to U+001F; this escapes the others, too. */
function quoted(value: string | number | boolean | null): string {
  return JSON.stringify(value).replace(CONTROLS, escaped);
}

/** Characters that control a terminal or change the direction of text. */
const CONTROLS = /[\x7f-\x9f\p{Bidi_Control}\u2028\u2029]/gu;

/** The escape of a character in a string of JSON or YAML: `\u009b`. */
function escaped(character: string): string {
  const code = character.charCodeAt(0).toString(16).padStart(4, "0");
  return `\\u${code}`;
}

function isList(value: object): value is readonly Json[] {
  return Array.isArray(value);
}
