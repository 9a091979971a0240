import type { Io } from "../runtime/io.js";
import { paintFor, type Paint } from "./color.js";
import { explain } from "./errors.js";
import { escapeControls, toBytes } from "./escape.js";

/** Widths beyond these are taken for mistakes of whoever set them. */
const NARROWEST = 20;
const WIDEST = 2000;
/** What is supposed of a terminal that does not tell its width. */
const USUAL_COLUMNS = 80;

/** Where a subcommand writes: data to stdout, all else to stderr. Text is Unicode. */
export class Output {
  /** The colors of stdout */
  readonly paint: Paint;
  /** The colors of stderr */
  readonly errorPaint: Paint;
  /** The columns that a line of stdout may have; undefined where nobody set a limit */
  readonly width: number | undefined;
  readonly #io: Io;

  constructor(io: Io, color: string) {
    this.#io = io;
    this.paint = paintFor(color, "stdout", io);
    this.errorPaint = paintFor(color, "stderr", io);
    this.width = widthOf(io);
  }

  /** Writes data. What came from elsewhere must be escaped already. */
  write(text: string): void {
    this.#io.stdout(toBytes(text));
  }

  /** Writes lines of data. */
  lines(lines: Iterable<string>): void {
    for (const line of lines) this.write(`${line}\n`);
  }

  /** Says on stderr what is wrong, and what to do. */
  complain(fault: string, advice?: string): void {
    this.#say(this.errorPaint.bad("ipvsadm:"), fault, advice);
  }

  /** Says on stderr what may be wrong. */
  warn(fault: string, advice?: string): void {
    this.#say(this.errorPaint.warning("ipvsadm: warning:"), fault, advice);
  }

  /** Writes lines on stderr as they are. What came from elsewhere must be escaped already. */
  report(lines: Iterable<string>): void {
    for (const line of lines) this.#io.stderr(toBytes(`${line}\n`));
  }

  /** Explains an error on stderr. @returns the exit status @throws the error itself, if nobody expected it */
  explain(error: unknown): number {
    const explanation = explain(error);
    if (!explanation) throw error;
    this.complain(explanation.fault, explanation.advice);
    return explanation.status;
  }

  #say(mark: string, fault: string, advice: string | undefined): void {
    const hint = advice === undefined ? "" : `: ${escapeControls(advice)}`;
    this.#io.stderr(toBytes(`${mark} ${escapeControls(fault)}${hint}\n`));
  }
}

/**
 * The columns for stdout: those of COLUMNS, or of its terminal; undefined without either.
 * A number that cannot be meant is passed over.
 */
export function widthOf(
  io: Pick<Io, "terminal" | "environment">,
): number | undefined {
  const text = io.environment("COLUMNS") ?? "";
  const wanted = /^[0-9]+$/.test(text) ? usable(Number(text)) : undefined;
  if (wanted !== undefined) return wanted;
  if (!io.terminal.isTerminal("stdout")) return undefined;
  return usable(io.terminal.size()?.columns) ?? USUAL_COLUMNS;
}

function usable(columns: number | undefined): number | undefined {
  return columns !== undefined && columns >= NARROWEST && columns <= WIDEST
    ? columns
    : undefined;
}
