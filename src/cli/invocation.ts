import type { Progress } from "../runtime/progress.js";
import type { Io } from "../runtime/io.js";
import type { Output } from "./output.js";
import type { Arguments } from "./parser.js";

/** What a subcommand works with. */
export interface Invocation {
  /** The parsed command line */
  readonly given: Arguments;
  readonly io: Io;
  readonly output: Output;
  /** Shows the progress of long work. Name look-ups through `io` already do */
  readonly progress: Progress;
}

/**
 * Runs a subcommand. Its caller prints the errors that it throws.
 *
 * @returns the exit status: a value of EXIT
 */
export type RunSubcommand = (invocation: Invocation) => Promise<number>;
