import type { Io } from "../runtime/io.js";
import { paintFor, type Paint } from "./color.js";
import { explain } from "./errors.js";
import { escapeControls, toBytes } from "./escape.js";

/** A width outside this range is a mistake, and is ignored. */
const NARROWEST = 20;
const WIDEST = 2000;
/** The width of a terminal that does not report one. */
const DEFAULT_COLUMNS = 80;

/** How text is shown on stdout: the colors, and the longest line (undefined: no limit). */
export type Display = Pick<Output, "paint" | "width">;

/** Where a subcommand writes: data to stdout, messages to stderr. Text is Unicode. */
export class Output {
  /** The colors of stdout */
  readonly paint: Paint;
  /** The colors of stderr */
  readonly errorPaint: Paint;
  /** The longest line for stdout. Undefined: no limit */
  readonly width: number | undefined;
  readonly #io: Io;

  constructor(io: Io, color: string) {
    this.#io = io;
    this.paint = paintFor(color, "stdout", io);
    this.errorPaint = paintFor(color, "stderr", io);
    this.width = widthOf(io);
  }

  /** Writes data to stdout. Text from outside the program must be escaped before. */
  write(text: string): void {
    this.#io.stdout(toBytes(text));
  }

  /** Writes lines of data to stdout, under the same condition. */
  lines(lines: Iterable<string>): void {
    for (const line of lines) this.write(`${line}\n`);
  }

  /** Prints an error on stderr, with advice. */
  complain(fault: string, advice?: string): void {
    this.#print(this.errorPaint.bad("ipvsadm:"), fault, advice);
  }

  /** Prints a warning on stderr, with advice. */
  warn(fault: string, advice?: string): void {
    this.#print(this.errorPaint.warning("ipvsadm: warning:"), fault, advice);
  }

  /** Writes lines to stderr. Text from outside the program must be escaped before. */
  report(lines: Iterable<string>): void {
    for (const line of lines) this.#io.stderr(toBytes(`${line}\n`));
  }

  /** Prints an error on stderr. @returns its exit status @throws the error itself, if it is a bug */
  explain(error: unknown): number {
    const explanation = explain(error);
    if (!explanation) throw error;
    this.complain(explanation.fault, explanation.advice);
    return explanation.status;
  }

  #print(prefix: string, fault: string, advice: string | undefined): void {
    const hint = advice === undefined ? "" : `: ${escapeControls(advice)}`;
    this.#io.stderr(toBytes(`${prefix} ${escapeControls(fault)}${hint}\n`));
  }
}

/** The width for stdout: COLUMNS, or the width of its terminal. Undefined without either. */
export function widthOf(
  io: Pick<Io, "terminal" | "environment">,
): number | undefined {
  const text = io.environment("COLUMNS") ?? "";
  const columns = /^[0-9]+$/.test(text) ? sensible(Number(text)) : undefined;
  if (columns !== undefined) return columns;
  if (!io.terminal.isTerminal("stdout")) return undefined;
  return sensible(io.terminal.size()?.columns) ?? DEFAULT_COLUMNS;
}

function sensible(columns: number | undefined): number | undefined {
  return columns !== undefined && columns >= NARROWEST && columns <= WIDEST
    ? columns
    : undefined;
}
