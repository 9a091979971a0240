import yargs from "yargs";
import { parseDuration } from "./duration.js";
import { UsageError } from "./errors.js";
import { nearest } from "../text/nearest.js";
import type { OptionSpec, SubcommandSpec } from "./spec.js";
import { optionsOf } from "./common-options.js";
import { escapeControls } from "./escape.js";

/** What a command line of a subcommand says: every value has been held against the table. */
export class Arguments {
  readonly #values: ReadonlyMap<string, string | true | readonly string[]>;

  constructor(
    values: ReadonlyMap<string, string | true | readonly string[]>,
    /** The words by their places; as many as the table allows */
    readonly positionals: readonly string[],
  ) {
    this.#values = values;
  }

  flag(option: string): boolean {
    return this.#values.get(option) === true;
  }

  /** The value of an option, or its default; undefined if it has neither. */
  text(option: string): string | undefined {
    const value = this.#values.get(option);
    return typeof value === "string" ? value : undefined;
  }

  number(option: string): number | undefined {
    const text = this.text(option);
    return text === undefined ? undefined : Number(text);
  }

  /** A duration in seconds; undefined if it is not there. */
  duration(option: string): number | undefined {
    return parseDuration(this.text(option) ?? "");
  }

  /** The values of an option that may be repeated; none if it is not there. */
  list(option: string): readonly string[] {
    const value = this.#values.get(option);
    return typeof value === "object" ? value : [];
  }
}

/**
 * Reads a command line of a subcommand.
 *
 * @param words what follows the subcommand
 * @throws {UsageError} for the first fault: an unknown option, a value that is missing or not allowed, a word too
 *   many or too few. With `--help` only the options are looked at.
 */
export function parseArguments(
  row: SubcommandSpec,
  words: readonly string[],
): Arguments {
  const options = optionsOf(row);
  const argv = scan(row, options, words);
  const values = new Map<string, string | true | readonly string[]>();
  for (const option of options) {
    const found = argv[option.name] ?? option.default;
    const value = found === undefined ? [] : [found].flat().map(String);
    switch (option.type) {
      case "flag":
        if (found === true) values.set(option.name, true);
        break;
      case "list": {
        const all = value.flatMap((text) => text.split(","));
        for (const text of all) checkValue(row, option, text);
        if (found !== undefined) values.set(option.name, all);
        break;
      }
      default:
        for (const text of value) {
          checkValue(row, option, text);
          values.set(option.name, text);
        }
    }
  }
  const positionals = argv._.map(String);
  if (!values.has("help")) checkPositionals(row, positionals);
  return new Arguments(values, positionals);
}

/** What yargs makes of the words: by the names of the options, the rest by place. */
function scan(
  row: SubcommandSpec,
  options: readonly OptionSpec[],
  words: readonly string[],
): Record<string, unknown> & { _: (string | number)[] } {
  const named = (type: (option: OptionSpec) => boolean) =>
    options.filter(type).map(({ name }) => name);
  const argv = yargs()
    .locale("en") // the messages are ours, so that no file of another language is read
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
    .parseSync(spelledOut(row, options, words));
  return argv;
}

/**
 * The options of a command line one by one, as yargs cannot misread them: `-ojson` is `--output=json`, `-wn` is
 * `--wide --names`, and a value that follows as a word of its own is put to its option.
 *
 * @throws {UsageError} for an option that is unknown, lacks its value or has one too many
 */
function spelledOut(
  row: SubcommandSpec,
  options: readonly OptionSpec[],
  words: readonly string[],
): string[] {
  const spelled: string[] = [];
  const queue = [...words];
  const put = (option: OptionSpec, shown: string, attached?: string) => {
    if (option.type === "flag") {
      if (attached !== undefined)
        throw new UsageError(`${shown} takes no value`, row.name);
      spelled.push(`--${option.name}`);
      return;
    }
    const value = attached ?? queue.shift();
    if (value === undefined || value === "")
      throw new UsageError(
        `${shown} ${valueName(option)}: the value is missing`,
        row.name,
      );
    spelled.push(`--${option.name}=${value}`);
  };
  for (let word; (word = queue.shift()) !== undefined;) {
    if (word === "--") {
      spelled.push("--", ...queue.splice(0));
    } else if (word.startsWith("--")) {
      const [, name = "", attached] = /^--([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
      const option = options.find((option) => option.name === name);
      if (!option) throw unknownOption(row, options, name);
      put(option, `--${name}`, attached);
    } else if (word.startsWith("-") && word !== "-") {
      for (let rest = word.slice(1); rest !== "";) {
        const letter = rest.charAt(0);
        const option = options.find(({ alias }) => alias === letter);
        if (!option)
          throw new UsageError(
            `unknown option -${escapeControls(letter)}`,
            row.name,
          );
        rest = rest.slice(1);
        const attached = rest.startsWith("=")
          ? rest.slice(1)
          : option.type !== "flag" && rest !== ""
            ? rest
            : undefined;
        if (attached !== undefined) rest = "";
        put(option, `-${letter}`, attached);
      }
    } else {
      spelled.push(word);
    }
  }
  return spelled;
}

function unknownOption(
  row: SubcommandSpec,
  options: readonly OptionSpec[],
  name: string,
): UsageError {
  const near = nearest(
    name,
    options.map((option) => option.name),
  );
  return new UsageError(
    `unknown option --${escapeControls(name)}`,
    row.name,
    near && `--${near}`,
  );
}

function checkValue(
  row: SubcommandSpec,
  option: OptionSpec,
  text: string,
): void {
  const { name, choices, type, minimum, maximum } = option;
  if (choices && !choices.includes(text))
    throw new UsageError(
      `--${name} ${escapeControls(text)} is not one of ${choices.join(", ")}`,
      row.name,
      nearest(text, choices),
    );
  if (type === "duration" && parseDuration(text) === undefined)
    throw new UsageError(
      `--${name} ${escapeControls(text)}: a duration is wanted, such as 90s, 5m or 1h30m`,
      row.name,
    );
  if (type !== "number") return;
  const value = /^[0-9]+(\.[0-9]+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= (minimum ?? 0) && value <= (maximum ?? Infinity)))
    throw new UsageError(
      `--${name} ${escapeControls(text)}: a number ${range(minimum ?? 0, maximum)} is wanted`,
      row.name,
    );
}

function checkPositionals(row: SubcommandSpec, words: readonly string[]): void {
  const places = row.positionals;
  const extra = places.at(-1)?.many ? undefined : words[places.length];
  if (extra !== undefined)
    throw new UsageError(`unexpected word ${escapeControls(extra)}`, row.name);
  for (const [i, { name, required, choices }] of places.entries()) {
    const word = words[i];
    if (word === undefined && required)
      throw new UsageError(`${name} is missing`, row.name);
    if (word !== undefined && choices && !choices.includes(word))
      throw new UsageError(
        `${name} ${escapeControls(word)} is not one of ${choices.join(", ")}`,
        row.name,
        nearest(word, choices),
      );
  }
}

function valueName({ value, name }: OptionSpec): string {
  return value ?? name.toUpperCase();
}

function range(minimum: number, maximum: number | undefined): string {
  return maximum === undefined
    ? `from ${minimum} on`
    : `from ${minimum} to ${maximum}`;
}
