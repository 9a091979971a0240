import type { RuleFinding, RuleFile } from "../rules/rule-file.js";
import type { Paint } from "./color.js";
import { escapeControls } from "./escape.js";

/** How grave it is: an error is what cannot be carried out, a warning what nobody means. */
export type Severity = "error" | "warning";

/** Of a line that is shown, where nobody set a limit. */
const USUAL_ROOM = 160;
const LEAST_ROOM = 20;
/** What stands before a line beside its number, and two ellipses. */
const MARGIN = 6;

/**
 * What was found in a file, as compilers say it: `FILE:LINE:COLUMN: error: …`, the line, a caret below its column,
 * and what to do.
 *
 * @param width columns that the line may take; undefined: no limit was set
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
  const room = (width ?? USUAL_ROOM) - number.length - MARGIN;
  const shown = shownLine(file.line(position.line), position.column, room);
  return [
    `${paint.strong(escapeControls(`${file.name}:${position.line}:${position.column}:`))} ${style(`${severity}:`)} ${escapeControls(subject + message)} ${paint.dim(`[${id}]`)}`,
    ` ${paint.dim(`${number} |`)} ${shown.text}`,
    ` ${bar} ${" ".repeat(shown.before)}${style("^")}`,
    ...(advice === undefined
      ? []
      : [
          ` ${paint.dim(`${" ".repeat(number.length)} =`)} ${escapeControls(advice)}`,
        ]),
  ];
}

/**
 * A line fit for a terminal: tabs are blanks, and of a long one there is what stands around a column.
 *
 * @returns also how many columns of the terminal are before it
 */
function shownLine(
  line: string,
  column: number,
  wanted: number,
): { text: string; before: number } {
  const room = Math.max(wanted, LEAST_ROOM);
  const at = Math.min(column - 1, line.length);
  const start =
    line.length <= room ? 0 : Math.max(0, at - Math.floor(room / 2));
  const end = Math.min(line.length, start + room);
  const fit = (text: string) => escapeControls(text.replaceAll("\t", " "));
  const left = start > 0 ? "…" : "";
  const right = end < line.length ? "…" : "";
  return {
    text: `${left}${fit(line.slice(start, end))}${right}`,
    before: columnsOf(left + fit(line.slice(start, at))),
  };
}

/** Characters that take two columns. @see Unicode Standard Annex #11 */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}\p{Emoji_Presentation}]/u;
/** Characters that take none. */
const NARROWEST = /[\p{Mn}\p{Me}\p{Cf}]/u;

/** How many columns of a terminal a text takes. */
function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text)
    columns += WIDE.test(character) ? 2 : NARROWEST.test(character) ? 0 : 1;
  return columns;
}
