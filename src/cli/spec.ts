/** What stands at a place of the command line, for those who complete it. */
export type Completes =
  | "service"
  | "server"
  | "scheduler"
  | "address"
  | "file"
  | "subcommand"
  | "shell"
  | "column";

/** An option of a subcommand. Without `value` it is a flag. */
export interface OptionSpec {
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

/** A word that a subcommand takes, by its place. */
export interface ArgumentSpec {
  /** In capitals: `SERVICE` */
  readonly name: string;
  readonly required: boolean;
  /** Whether it may be repeated; the last one only */
  readonly many?: boolean;
  readonly choices?: readonly string[];
  readonly description: string;
  readonly completes?: Completes;
}

export interface ExampleSpec {
  /** The whole command line */
  readonly command: string;
  /** What it does, or shows */
  readonly shows: string;
}

/** Describes a subcommand for the parser, the help, completion and the manual page. */
export interface SubcommandSpec {
  readonly name: string;
  /** For the list of subcommands: a few words without a full stop */
  readonly summary: string;
  /** For its own help: paragraphs, which the help wraps */
  readonly description: readonly string[];
  readonly positionals: readonly ArgumentSpec[];
  readonly options: readonly OptionSpec[];
  readonly examples: readonly ExampleSpec[];
  /** Whether it draws on all of the terminal, so that no progress may be shown there */
  readonly fillsTerminal?: boolean;
}
