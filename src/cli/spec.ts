/** The kind of a value on the command line. Shell completion offers candidates for it. */
export type Completes =
  | "service"
  | "server"
  | "scheduler"
  | "address"
  | "file"
  | "subcommand"
  | "shell"
  | "column";

/** Describes an option of a subcommand. */
export interface OptionSpec {
  /** The long name without dashes: `output` */
  readonly name: string;
  /** The letter of the short form: `o` */
  readonly alias?: string;
  /**
   * - `flag` takes no value
   * - `text`, `number`, `integer` and `duration` (`90`, `5m`, `1h30m`) take a value. If the option is repeated, the last
   *   value counts
   * - `list` takes one or more values, separated by commas, and may be repeated
   */
  readonly type: "flag" | "text" | "number" | "integer" | "duration" | "list";
  /** The placeholder for the value in the help: `FORMAT` */
  readonly value?: string;
  /** The allowed values */
  readonly choices?: readonly string[];
  /** The smallest number allowed. Default: 0 */
  readonly minimum?: number;
  /** The largest number allowed. Default: no limit */
  readonly maximum?: number;
  /** The value if the option is not given. The help shows it */
  readonly default?: string;
  /** One sentence without a period */
  readonly description: string;
  readonly completes?: Completes;
}

/** Describes a positional argument of a subcommand. */
export interface ArgumentSpec {
  /** In capitals: `SERVICE` */
  readonly name: string;
  readonly required: boolean;
  /** Whether it may be repeated. Only the last argument may be */
  readonly many?: boolean;
  readonly choices?: readonly string[];
  readonly description: string;
  readonly completes?: Completes;
}

/** A list of terms and their explanations in the help of a subcommand. */
export interface TermsSpec {
  readonly title: string;
  readonly terms: readonly (readonly [term: string, explanation: string])[];
}

export interface ExampleSpec {
  /** The whole command line */
  readonly command: string;
  /** What it does or shows, in a few words */
  readonly shows: string;
}

/** Describes a subcommand. The parser, the help, shell completion and the manual page are made from it. */
export interface SubcommandSpec {
  readonly name: string;
  /** Other names. Completion does not offer them */
  readonly aliases?: readonly string[];
  /** A few words without a period, for the list of subcommands */
  readonly summary: string;
  /** Paragraphs for the help */
  readonly description: readonly string[];
  readonly positionals: readonly ArgumentSpec[];
  readonly options: readonly OptionSpec[];
  /** Printed after the options */
  readonly terms?: readonly TermsSpec[];
  readonly examples: readonly ExampleSpec[];
  /** Whether stdout gets data or code for programs whatever the options are */
  readonly printsData?: boolean;
  /** Whether it draws on the full screen, where no progress line may be shown */
  readonly fillsTerminal?: boolean;
}

/** Finds a subcommand by its name or an alias. */
export function findSpec(
  specs: readonly SubcommandSpec[],
  name: string,
): SubcommandSpec | undefined {
  return specs.find(
    (spec) => spec.name === name || (spec.aliases ?? []).includes(name),
  );
}
