import type { RuleFinding, RuleFile } from "../rules/rule-file.js";
import type { Paint } from "./color.js";
import { escapeControls } from "./escape.js";

/** An error: the rule cannot be applied. A warning: the rule is accepted, but probably a mistake. */
export type Severity = "error" | "warning";

/** The columns for a quoted line, if there is no limit. */
const DEFAULT_ROOM = 160;
const LEAST_ROOM = 20;
/** The columns that a quoted line needs in addition: the margin of its number, and up to two ellipses. */
const MARGIN = 6;

/**
 * Formats a finding in a file as compilers do: `FILE:LINE:COLUMN: error: …`, the line, a caret below the column, and advice.
 *
 * @param width the longest line. Undefined: no limit
 */
export function findingLines(
  file: Pick<RuleFile, "name" | "line">,
  severity: Severity,
  finding: RuleFinding,
  { paint, width }: { paint: Paint; width: number | undefined },
): string[] {
  const { position, id, message, advice, path } = finding;
  const style = severity === "error" ? paint.bad : paint.warning;
  const subject = path === undefined ? "" : `${path}: `;
  const number = String(position.line);
  const bar = paint.dim(`${" ".repeat(number.length)} |`);
  const room = (width ?? DEFAULT_ROOM) - number.length - MARGIN;
  const quoted = quotedLine(file.line(position.line), position.column, room);
  return [
    `${paint.strong(escapeControls(`${file.name}:${position.line}:${position.column}:`))} ${style(`${severity}:`)} ${escapeControls(subject + message)} ${paint.dim(`[${id}]`)}`,
    ` ${paint.dim(`${number} |`)} ${quoted.text}`,
    ` ${bar} ${" ".repeat(quoted.before)}${style("^")}`,
    ...(advice === undefined
      ? []
      : [
          ` ${paint.dim(`${" ".repeat(number.length)} =`)} ${escapeControls(advice)}`,
        ]),
  ];
}

/**
 * Quotes a line of a file safely for a terminal: tabs become spaces, and a long line is cut around a column.
 *
 * @returns the text, and the terminal columns before the quoted column
 */
function quotedLine(
  line: string,
  column: number,
  available: number,
): { text: string; before: number } {
  const room = Math.max(available, LEAST_ROOM);
  const at = Math.min(column - 1, line.length);
  const start =
    line.length <= room ? 0 : Math.max(0, at - Math.floor(room / 2));
  const end = Math.min(line.length, start + room);
  const safe = (text: string) => escapeControls(text.replaceAll("\t", " "));
  const left = start > 0 ? "…" : "";
  const right = end < line.length ? "…" : "";
  return {
    text: `${left}${safe(line.slice(start, end))}${right}`,
    before: columnsOf(left + safe(line.slice(start, at))),
  };
}

/** Characters that take two columns in a terminal. @see Unicode Standard Annex #11 */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}\p{Emoji_Presentation}]/u;
/** Characters that take no column. */
const ZERO_WIDTH = /[\p{Mn}\p{Me}\p{Cf}]/u;

/** How many columns a text takes in a terminal. */
function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text)
    columns += WIDE.test(character) ? 2 : ZERO_WIDTH.test(character) ? 0 : 1;
  return columns;
}
