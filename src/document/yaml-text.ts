import { jsonText, type Json } from "./json-text.js";

/*
 * YAML for what is a tree of plain values: block style, strings that could be taken for something else as JSON writes
 * them, which YAML 1.1 and 1.2 read alike. (The package that reads YAML writes it, too, but a table of 10,000 services
 * with ten servers each took it 10 seconds.)
 */

/** What these versions, or some of their readers, take for a boolean or nothing. */
const RESERVED = /^(?:true|false|null|yes|no|on|off|y|n)$/i;
const PLAIN = /^(?:[a-z]{2}[A-Za-z0-9/-]*|[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+)$/;

/**
 * Writes an object or a list as YAML, in lines that end. Counters have all their digits; what is undefined is left
 * out; characters that can steer a terminal are escaped.
 */
export function yamlText(value: Json): string {
  return block(value, "").join("");
}

/** A value on lines of its own. */
function block(value: Json, indent: string): string[] {
  if (isEmpty(value)) return [`${indent}${scalar(value)}\n`];
  if (isList(value))
    return value.flatMap((item) => {
      const [first = "", ...rest] = block(item, `${indent}  `);
      return [`${indent}- ${first.trimStart()}`, ...rest];
    });
  return Object.entries(value as Readonly<Record<string, Json>>).flatMap(
    ([key, item]) => {
      if (item === undefined) return [];
      const name = `${indent}${scalar(key)}:`;
      if (isEmpty(item)) return [`${name} ${scalar(item)}\n`];
      // A list stands below its key, not to the right of it.
      return [
        `${name}\n`,
        ...block(item, isList(item) ? indent : `${indent}  `),
      ];
    },
  );
}

/** Whether a value fits behind its key. */
function isEmpty(value: Json): boolean {
  if (typeof value !== "object" || value === null) return true;
  return isList(value)
    ? value.length === 0
    : Object.values(value).every((item) => item === undefined);
}

function scalar(value: Json): string {
  if (typeof value !== "string") return jsonText(value, 0);
  return PLAIN.test(value) && !RESERVED.test(value) ? value : jsonText(value);
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
