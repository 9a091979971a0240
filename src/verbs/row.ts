import type { Arguments } from "./parse.js";
import type { Io } from "../io.js";
import type { Progress } from "../progress.js";
import type { Output } from "./output.js";

/** What stands at a place of the command line, for those who complete it. */
export type Completes =
  | "service"
  | "server"
  | "scheduler"
  | "address"
  | "file"
  | "verb"
  | "shell"
  | "column";

/** An option of a verb. Without `value` it is a flag. */
export interface VerbOption {
  /** Without its dashes: `output` */
  readonly name: string;
  /** Its letter */
  readonly alias?: string;
  /**
   * `text`, `number` and `duration` (`90`, `5m`, `1h30m`) take a value, the last one counts; `list` may be repeated,
   * and takes several between commas
   */
  readonly type: "flag" | "text" | "number" | "duration" | "list";
  /** What its value is called in the help: `FORMAT` */
  readonly value?: string;
  /** The values that there are */
  readonly choices?: readonly string[];
  /** Of a number */
  readonly minimum?: number;
  readonly maximum?: number;
  /** What counts without the option; the help shows it */
  readonly default?: string;
  /** One sentence without a full stop */
  readonly description: string;
  readonly completes?: Completes;
}

/** A word that a verb takes, by its place. */
export interface VerbPositional {
  /** In capitals: `SERVICE` */
  readonly name: string;
  readonly required: boolean;
  /** Whether it may be repeated; the last one only */
  readonly many?: boolean;
  readonly choices?: readonly string[];
  readonly description: string;
  readonly completes?: Completes;
}

export interface VerbExample {
  /** The whole command line */
  readonly command: string;
  /** What it does, or shows */
  readonly shows: string;
}

/** A verb: all that the parser, the help, completion and the man page need, and where its code is. */
export interface VerbRow {
  readonly name: string;
  /** For the list of verbs: a few words without a full stop */
  readonly summary: string;
  /** For its own help: paragraphs, which the help wraps */
  readonly description: readonly string[];
  readonly positionals: readonly VerbPositional[];
  readonly options: readonly VerbOption[];
  readonly examples: readonly VerbExample[];
  /** Whether it draws on all of the terminal, so that no progress may be shown there */
  readonly fillsTerminal?: boolean;
  /** Loads its code. */
  readonly load: () => Promise<{ readonly run: VerbRun }>;
}

/** What a verb has to work with. */
export interface VerbCall {
  readonly given: Arguments;
  readonly io: Io;
  readonly output: Output;
  /** Where long work says how far it is; names that are waited for do so by themselves. */
  readonly progress: Progress;
}

/**
 * Carries a verb out. What it throws, the caller explains on stderr (faults.ts).
 *
 * @returns the exit status: one of EXIT
 */
export type VerbRun = (call: VerbCall) => Promise<number>;

/** The exit statuses of the word verbs. */
export const EXIT = {
  fine: 0,
  /** Something is wrong with what was looked at, or the kernel refused */
  wrong: 1,
  /** The command line is at fault */
  misused: 2,
  /** No IPVS in the kernel, or no permission to ask for it */
  unavailable: 3,
} as const;
