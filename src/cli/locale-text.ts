import type { Io } from "../runtime/io.js";
import { fromBytes } from "./escape.js";

/*
 * In a locale that is not UTF-8, a terminal shows the bytes of UTF-8 as garbage, and programs that read the output may
 * refuse them. There, text is plain ASCII, and documents escape what is not ASCII. CSV and rules are exact data and stay.
 */

/** What replaces the characters of our own texts: one column each, except for the arrow, which tables do not contain. */
const ASCII: Readonly<Record<string, string>> = {
  "…": "~", // where a text was cut
  "·": "|",
  "→": "->",
  "↑": "^",
  "↓": "v",
  "▁": "_",
  "▂": ".",
  "▃": ":",
  "▄": "-",
  "▅": "=",
  "▆": "+",
  "▇": "*",
  "█": "#",
  "░": ".",
};

const NOT_ASCII = /[^\0-\x7f]/gu;

/** An Io whose stdout and stderr follow the locale. */
export interface LocaleIo extends Io {
  /** Says what stdout gets from now on: an output format, or `data`, which is not changed. Default: text */
  prints(format: string | undefined): void;
}

/** Whether the locale of the environment is UTF-8. @see POSIX, Base Definitions, 8.2 Internationalization Variables */
export function isUtf8(io: Pick<Io, "environment">): boolean {
  const name = ["LC_ALL", "LC_CTYPE", "LANG"]
    .map((variable) => io.environment(variable))
    .find((value) => value !== undefined && value !== "");
  return /utf-?8/i.test(name ?? "");
}

/** Makes an Io whose text is plain ASCII if the locale is not UTF-8. */
export function withTextOfLocale(io: Io): LocaleIo {
  if (isUtf8(io))
    return {
      ...io,
      prints() {
        // Every format is UTF-8.
      },
    };
  let convert = asciiText;
  return {
    ...io,
    stdout(text) {
      io.stdout(convert(text));
    },
    stderr(text) {
      io.stderr(asciiText(text));
    },
    prints(format = "text") {
      convert = CONVERSIONS[format] ?? asciiText;
    },
  };
}

const unchanged = (bytes: string) => bytes;

const CONVERSIONS: Readonly<Record<string, (bytes: string) => string>> = {
  json: escaped,
  ndjson: escaped,
  yaml: escaped,
  sarif: escaped,
  csv: unchanged,
  rules: unchanged,
  data: unchanged,
};

/** Text for people: other characters become question marks. @param bytes UTF-8, one character per byte */
export function asciiText(bytes: string): string {
  return fromBytes(bytes).replace(
    NOT_ASCII,
    (character) => ASCII[character] ?? "?",
  );
}

/** JSON or YAML: all characters that are not ASCII are in strings, where an escape means the same. */
function escaped(bytes: string): string {
  return fromBytes(bytes).replace(NOT_ASCII, (character) =>
    Array.from(
      { length: character.length },
      (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`,
    ).join(""),
  );
}
