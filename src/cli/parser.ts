import { parseDuration } from "./duration.js";
import { UsageError } from "./errors.js";
import { nearest } from "../text/nearest.js";
import type { OptionSpec, SubcommandSpec } from "./spec.js";
import { optionsOf } from "./common-options.js";
import { escapeControls } from "./escape.js";

/** The parsed command line of a subcommand. Every value has been checked against the spec. */
export class Arguments {
  readonly #values: ReadonlyMap<string, string | true | readonly string[]>;

  constructor(
    values: ReadonlyMap<string, string | true | readonly string[]>,
    /** The positional arguments */
    readonly positionals: readonly string[],
  ) {
    this.#values = values;
  }

  /** Whether a flag was given. */
  flag(option: string): boolean {
    return this.#values.get(option) === true;
  }

  /** The value of an option, or its default. Undefined if there is neither. */
  text(option: string): string | undefined {
    const value = this.#values.get(option);
    return typeof value === "string" ? value : undefined;
  }

  /** The value of a `number` or `integer` option. */
  number(option: string): number | undefined {
    const text = this.text(option);
    return text === undefined ? undefined : Number(text);
  }

  /** The value of a `duration` option in seconds. */
  duration(option: string): number | undefined {
    return parseDuration(this.text(option) ?? "");
  }

  /** The values of a `list` option. Empty if it was not given. */
  list(option: string): readonly string[] {
    const value = this.#values.get(option);
    return typeof value === "object" ? value : [];
  }
}

/**
 * Parses the command line of a subcommand.
 *
 * @param words what follows the name of the subcommand
 * @throws {UsageError} for the first fault: an unknown option, a missing or invalid value, a missing or surplus argument.
 *   With `--help`, positional arguments are not checked
 */
export function parseArguments(
  spec: SubcommandSpec,
  words: readonly string[],
): Arguments {
  const options = optionsOf(spec);
  const { found, positionals } = scan(spec, options, words);
  const values = new Map<string, string | true | readonly string[]>();
  for (const option of options) {
    const { name, type, default: preset } = option;
    const given = found.get(name) ?? (preset === undefined ? [] : [preset]);
    const all =
      type === "list" ? given.flatMap((text) => text.split(",")) : given;
    for (const text of all) checkValue(spec, option, text);
    const last = all.at(-1);
    if (type === "flag" && found.has(name)) values.set(name, true);
    else if (last !== undefined) values.set(name, type === "list" ? all : last);
  }
  if (!values.has("help")) checkPositionals(spec, positionals);
  return new Arguments(values, positionals);
}

/** The values of each option, in the order of the command line. A flag has no values. */
interface Scanned {
  readonly found: ReadonlyMap<string, readonly string[]>;
  readonly positionals: readonly string[];
}

/** @throws {UsageError} an option is unknown, lacks its value, or is a flag with a value */
function scan(
  { name: subcommand }: SubcommandSpec,
  options: readonly OptionSpec[],
  words: readonly string[],
): Scanned {
  const { parseArgs } = process.getBuiltinModule("node:util");
  const { tokens } = parseArgs({
    args: [...words],
    options: Object.fromEntries(
      options.map(({ name, alias, type }) => [
        name,
        {
          type: type === "flag" ? ("boolean" as const) : ("string" as const),
          ...(alias !== undefined && { short: alias }),
        },
      ]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const found = new Map<string, string[]>();
  const positionals: string[] = [];
  let last = "";
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    const { name, rawName: written } = token;
    // parseArgs reads -w=1 as -w, -= and -1, and -o=json as -o with the value "=json".
    if (written === "-=")
      throw new UsageError(`${last} takes no value`, subcommand);
    const isShort = !written.startsWith("--");
    const value =
      isShort && token.inlineValue
        ? token.value.replace(/^=/, "")
        : token.value;
    const option = options.find((option) => option.name === name);
    if (!option)
      throw isShort
        ? new UsageError(
            `unknown option ${escapeControls(written)}`,
            subcommand,
          )
        : unknownOption(subcommand, options, name);
    const values = found.get(name) ?? [];
    found.set(name, values);
    if (option.type === "flag" ? value !== undefined : !value)
      throw new UsageError(
        option.type === "flag"
          ? `${written} takes no value`
          : `${written} needs a value (${option.value ?? name.toUpperCase()})`,
        subcommand,
      );
    if (value !== undefined) values.push(value);
    last = written;
  }
  return { found, positionals };
}

function unknownOption(
  subcommand: string,
  options: readonly OptionSpec[],
  name: string,
): UsageError {
  const near = nearest(
    name,
    options.map((option) => option.name),
  );
  return new UsageError(
    `unknown option --${escapeControls(name)}`,
    subcommand,
    near && `--${near}`,
  );
}

function checkValue(
  spec: SubcommandSpec,
  option: OptionSpec,
  text: string,
): void {
  const { name, choices, type, minimum = 0, maximum } = option;
  if (choices && !choices.includes(text))
    throw new UsageError(
      `--${name} ${escapeControls(text)} is not one of ${choices.join(", ")}`,
      spec.name,
      nearest(text, choices),
    );
  if (type === "duration" && parseDuration(text) === undefined)
    throw new UsageError(
      `--${name} ${escapeControls(text)}: expected a duration such as 90s, 5m or 1h30m`,
      spec.name,
    );
  if (type !== "number" && type !== "integer") return;
  const form = type === "integer" ? /^[0-9]+$/ : /^[0-9]+(\.[0-9]+)?$/;
  const value = form.test(text) ? Number(text) : Number.NaN;
  if (!(value >= minimum && value <= (maximum ?? Infinity)))
    throw new UsageError(
      `--${name} ${escapeControls(text)}: expected a${type === "integer" ? " whole" : ""} number ${range(minimum, maximum)}`,
      spec.name,
    );
}

function checkPositionals(
  { name: subcommand, positionals }: SubcommandSpec,
  words: readonly string[],
): void {
  const extra = positionals.at(-1)?.many
    ? undefined
    : words[positionals.length];
  if (extra !== undefined)
    throw new UsageError(
      `unexpected argument ${escapeControls(extra)}`,
      subcommand,
    );
  for (const [i, { name, required, choices }] of positionals.entries()) {
    const word = words[i];
    if (word === undefined && required)
      throw new UsageError(`missing argument ${name}`, subcommand);
    if (word !== undefined && choices && !choices.includes(word))
      throw new UsageError(
        `${name} ${escapeControls(word)} is not one of ${choices.join(", ")}`,
        subcommand,
        nearest(word, choices),
      );
  }
}

function range(minimum: number, maximum: number | undefined): string {
  return maximum === undefined
    ? `of at least ${minimum}`
    : `from ${minimum} to ${maximum}`;
}
