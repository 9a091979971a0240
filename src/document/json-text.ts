/** What can be written as JSON; a bigint becomes a number with all its digits. What is undefined is left out. */
export type Json =
  | string
  | number
  | bigint
  | boolean
  | null
  | undefined
  | readonly Json[]
  | { readonly [key: string]: Json };

/**
 * Writes JSON with counters exact beyond 2^53: they are numbers with all their digits.
 *
 * @param indent how deep each level is indented; 0 puts all on one line, as ndjson wants it
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

/** JSON escapes the control characters up to U+001F; the others that can steer a terminal are escaped here. */
function quoted(value: string | number | boolean | null): string {
  return JSON.stringify(value).replace(STEERING, escaped);
}

/** Characters that steer a terminal, or turn the direction of writing. */
const STEERING = /[\x7f-\x9f\p{Bidi_Control}\u2028\u2029]/gu;

/** A character as JSON and YAML write it between double quotes: `\u009b`. */
function escaped(character: string): string {
  const code = character.charCodeAt(0).toString(16).padStart(4, "0");
  return `\\u${code}`;
}

function isList(value: object): value is readonly Json[] {
  return Array.isArray(value);
}
