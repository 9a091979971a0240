import type { Output } from "./output.js";
import type { OptionSpec, ArgumentSpec, SubcommandSpec } from "./spec.js";
import { optionsOf } from "./common-options.js";

/** Longer lines are hard to read, and where there is no terminal there must be some limit. */
const LONGEST_LINE = 100;
const USUAL_LINE = 80;
/** The widest left column; what is wider gets a line of its own */
const LEFT_COLUMNS = 26;

type Looks = Pick<Output, "paint" | "width">;

/** How a subcommand is used: what `--help` prints. */
export function helpText(row: SubcommandSpec, looks: Looks): string {
  const { title, strong } = looks.paint;
  const words = [row.name, ...row.positionals.map(shownPositional)];
  const sections = [
    `${title("Usage:")} ${strong(`ipvsadm ${words.join(" ")}`)} [OPTION…]\n`,
    ...row.description.map((text) => wrapped(text, 0, looks)),
  ];
  if (row.positionals.length > 0)
    sections.push(
      section(
        "Words:",
        looks,
        row.positionals.map(({ name, description, choices }) => [
          name,
          withChoices(description, choices),
        ]),
      ),
    );
  sections.push(
    section(
      "Options:",
      looks,
      optionsOf(row).map((option) => [spelling(option), explained(option)]),
    ),
    section("Examples:", looks, []) +
      row.examples
        .map(
          ({ command, shows }) =>
            `  ${strong(command)}\n${wrapped(shows, 6, looks)}`,
        )
        .join(""),
  );
  return sections.join("\n");
}

/** The subcommands: what `ipvsadm help` prints. */
export function overview(
  specs: readonly SubcommandSpec[],
  looks: Looks,
): string {
  const { title, strong } = looks.paint;
  return [
    `${title("Usage:")} ${strong("ipvsadm SUBCOMMAND")} [WORD…] [OPTION…]\n`,
    section(
      "Subcommands:",
      looks,
      specs.map(({ name, summary }) => [name, summary]),
    ),
    wrapped(
      "'ipvsadm SUBCOMMAND --help' tells more of a subcommand. The commands that begin with a dash (-L, -A, -a …) are those of the original: 'ipvsadm --help'.",
      0,
      looks,
    ),
  ].join("\n");
}

/** How a positional is written in a usage line: `[SERVICE…]`. */
export function shownPositional({
  name,
  required,
  many,
}: ArgumentSpec): string {
  const shown = many ? `${name}…` : name;
  return required ? shown : `[${shown}]`;
}

/** `-o, --output FORMAT` */
export function spelling({ name, alias, value, type }: OptionSpec): string {
  const letter = alias === undefined ? "    " : `-${alias}, `;
  const shown = type === "flag" ? "" : ` ${value ?? name.toUpperCase()}`;
  return `${letter}--${name}${shown}`;
}

function explained(option: OptionSpec): string {
  const { description, choices, default: usual } = option;
  const text = withChoices(description, choices);
  return usual === undefined ? text : `${text} (default: ${usual})`;
}

function withChoices(
  text: string,
  choices: readonly string[] | undefined,
): string {
  return choices ? `${text}; one of ${choices.join(", ")}` : text;
}

function section(
  name: string,
  looks: Looks,
  rows: readonly (readonly [string, string])[],
): string {
  const widest = Math.max(0, ...rows.map(([left]) => left.length));
  const left = Math.min(widest, LEFT_COLUMNS) + 4;
  const lines = rows.map(([term, text]) => {
    const body = wrapped(text, left, looks);
    const shown = `  ${looks.paint.name(term)}`;
    return term.length + 4 > left
      ? `${shown}\n${body}`
      : shown + " ".repeat(left - term.length - 2) + body.trimStart();
  });
  return `${looks.paint.title(name)}\n${lines.join("")}`;
}

/** A text in lines that fit, each behind some blanks. */
export function wrapped(
  text: string,
  indent: number,
  { width = USUAL_LINE }: Looks,
): string {
  const room = Math.max(Math.min(width, LONGEST_LINE) - indent, 20);
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1) ?? "";
    if (line !== "" && line.length + 1 + word.length > room) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines.map((line) => `${" ".repeat(indent)}${line}\n`).join("");
}
