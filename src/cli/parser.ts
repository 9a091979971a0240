import yargs from "yargs";
import { parseDuration } from "./duration.js";
import { UsageError } from "./errors.js";
import { nearest } from "../text/nearest.js";
import type { OptionSpec, SubcommandSpec } from "./spec.js";
import { optionsOf } from "./common-options.js";
import { escapeControls } from "./escape.js";

/** The parsed command line of a subcommand. Every value has been checked against the spec. */
export class Arguments {
  readonly #values: ReadonlyMap<string, string | true | readonly string[]>;
  readonly #written: ReadonlySet<string>;

  constructor(
    values: ReadonlyMap<string, string | true | readonly string[]>,
    /** The positional arguments */
    readonly positionals: readonly string[],
    written: ReadonlySet<string>,
  ) {
    this.#values = values;
    this.#written = written;
  }

  /** Whether the command line has an option. Its default does not count. */
  has(option: string): boolean {
    return this.#written.has(option);
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
  const argv = scan(spec, options, words);
  const values = new Map<string, string | true | readonly string[]>();
  const written = new Set<string>();
  for (const option of options) {
    if (argv[option.name] !== undefined) written.add(option.name);
    const found = argv[option.name] ?? option.default;
    const value = found === undefined ? [] : [found].flat().map(String);
    switch (option.type) {
      case "flag":
        if (found === true) values.set(option.name, true);
        break;
      case "list": {
        const all = value.flatMap((text) => text.split(","));
        for (const text of all) checkValue(spec, option, text);
        if (found !== undefined) values.set(option.name, all);
        break;
      }
      default:
        for (const text of value) {
          checkValue(spec, option, text);
          values.set(option.name, text);
        }
    }
  }
  const positionals = argv._.map(String);
  if (!values.has("help")) checkPositionals(spec, positionals);
  return new Arguments(values, positionals, written);
}

/** Has yargs parse the words. @returns the values by the names of the options; `_` are the positional arguments */
function scan(
  spec: SubcommandSpec,
  options: readonly OptionSpec[],
  words: readonly string[],
): Record<string, unknown> & { _: (string | number)[] } {
  const named = (type: (option: OptionSpec) => boolean) =>
    options.filter(type).map(({ name }) => name);
  const argv = yargs()
    .locale("en") // yargs prints no messages here, so it need not load a translation
    .parserConfiguration({
      "boolean-negation": false,
      "camel-case-expansion": false,
      "dot-notation": false,
      "duplicate-arguments-array": true,
      "greedy-arrays": false,
      "parse-numbers": false,
      "parse-positional-numbers": false,
      "strip-aliased": true,
    })
    .exitProcess(false)
    .fail(false)
    .help(false)
    .version(false)
    .boolean(named(({ type }) => type === "flag"))
    .string(named(({ type }) => type !== "flag"))
    .alias(
      Object.fromEntries(
        options.flatMap(({ name, alias }) => (alias ? [[name, alias]] : [])),
      ),
    )
    .parseSync(normalized(spec, options, words));
  return argv;
}

/**
 * Normalizes the options, so that yargs cannot misread them: `-ojson` and `-o json` become `--output=json`, `-wn` becomes
 * `--wide --names`.
 *
 * @throws {UsageError} an option is unknown, lacks its value, or is a flag with a value
 */
function normalized(
  spec: SubcommandSpec,
  options: readonly OptionSpec[],
  words: readonly string[],
): string[] {
  const normal: string[] = [];
  const queue = [...words];
  const add = (option: OptionSpec, written: string, attached?: string) => {
    if (option.type === "flag") {
      if (attached !== undefined)
        throw new UsageError(`${written} takes no value`, spec.name);
      normal.push(`--${option.name}`);
      return;
    }
    const value = attached ?? queue.shift();
    if (value === undefined || value === "")
      throw new UsageError(
        `${written} needs a value (${option.value ?? option.name.toUpperCase()})`,
        spec.name,
      );
    normal.push(`--${option.name}=${value}`);
  };
  for (let word; (word = queue.shift()) !== undefined;) {
    if (word === "--") {
      normal.push("--", ...queue.splice(0));
    } else if (word.startsWith("--")) {
      const [, name = "", attached] = /^--([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
      const option = options.find((option) => option.name === name);
      if (!option) throw unknownOption(spec, options, name);
      add(option, `--${name}`, attached);
    } else if (word.startsWith("-") && word !== "-") {
      for (let rest = word.slice(1); rest !== "";) {
        const letter = rest.charAt(0);
        const option = options.find(({ alias }) => alias === letter);
        if (!option)
          throw new UsageError(
            `unknown option -${escapeControls(letter)}`,
            spec.name,
          );
        rest = rest.slice(1);
        const attached = rest.startsWith("=")
          ? rest.slice(1)
          : option.type !== "flag" && rest !== ""
            ? rest
            : undefined;
        if (attached !== undefined) rest = "";
        add(option, `-${letter}`, attached);
      }
    } else {
      normal.push(word);
    }
  }
  return normal;
}

function unknownOption(
  spec: SubcommandSpec,
  options: readonly OptionSpec[],
  name: string,
): UsageError {
  const near = nearest(
    name,
    options.map((option) => option.name),
  );
  return new UsageError(
    `unknown option --${escapeControls(name)}`,
    spec.name,
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
