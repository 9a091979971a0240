import type { Progress } from "../runtime/progress.js";
import type { Io } from "../runtime/io.js";
import type { Output } from "./output.js";
import type { Arguments } from "./parser.js";

/** What a subcommand gets to work with. */
export interface Invocation {
  readonly given: Arguments;
  readonly io: Io;
  readonly output: Output;
  /** Shows how far long work has come. Name look-ups in `io` do so by themselves. */
  readonly progress: Progress;
}

/**
 * Runs a subcommand. Its caller explains on stderr what it throws (errors.ts).
 *
 * @returns the exit status: one of EXIT
 */
export type RunSubcommand = (invocation: Invocation) => Promise<number>;
