import { jsonText, type Json } from "./json-text.js";

/*
 * Writes YAML in block style. Strings that could be read as another type are quoted as in JSON, so that YAML 1.1 and
 * 1.2 read the same. The package that parses YAML can write it, too, but needs 10 seconds for a table of 10,000
 * services with ten servers each.
 */

/** Words that YAML 1.1 or 1.2, or some of their parsers, read as a boolean or null. */
const RESERVED = /^(?:true|false|null|yes|no|on|off|y|n)$/i;
const PLAIN = /^(?:[a-z]{2}[A-Za-z0-9/-]*|[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+)$/;

/**
 * Formats an object or a list as YAML. The last line ends with a newline. Integers keep all their digits, undefined
 * fields are omitted, and control characters are escaped.
 */
export function yamlText(value: Json): string {
  return block(value, "").join("");
}

/** The lines of a value. */
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
      // A list is indented like its key.
      return [
        `${name}\n`,
        ...block(item, isList(item) ? indent : `${indent}  `),
      ];
    },
  );
}

/** Whether a value is written on the line of its key. */
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
