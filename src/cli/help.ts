import type { Display } from "./output.js";
import type { ArgumentSpec, OptionSpec, SubcommandSpec } from "./spec.js";
import { optionsOf } from "./common-options.js";
import { wrapWords } from "./wrap.js";

/** Longer lines are hard to read. */
const LONGEST_LINE = 100;
/** The line length if stdout is not a terminal. */
const DEFAULT_LINE = 80;
/** The widest left column. A longer term gets its own line */
const LEFT_COLUMNS = 26;

/** What `ipvsadm SUBCOMMAND --help` prints. */
export function helpText(spec: SubcommandSpec, display: Display): string {
  const { title, strong } = display.paint;
  const usage = [spec.name, ...spec.positionals.map(argumentUsage)].join(" ");
  const sections = [
    `${title("Usage:")} ${strong(`ipvsadm ${usage}`)} [OPTION...]\n`,
    ...spec.description.map((text) => wrapped(text, 0, display)),
    ...(spec.aliases ? [wrapped(aliasesText(spec.aliases), 0, display)] : []),
  ];
  if (spec.positionals.length > 0)
    sections.push(
      section(
        "Arguments:",
        display,
        spec.positionals.map(({ name, description, choices }) => [
          name,
          withChoices(description, choices),
        ]),
      ),
    );
  sections.push(
    section(
      "Options:",
      display,
      optionsOf(spec).map((option) => [
        optionUsage(option),
        optionText(option),
      ]),
    ),
    ...(spec.terms ?? []).map(({ title, terms }) =>
      section(`${title}:`, display, terms),
    ),
    section("Examples:", display, []) +
      spec.examples
        .map(
          ({ command, shows }) =>
            `  ${strong(command)}\n${wrapped(shows, 6, display)}`,
        )
        .join(""),
  );
  return sections.join("\n");
}

/** `Other names: ls, show.` */
export function aliasesText(aliases: readonly string[]): string {
  return `Other name${aliases.length === 1 ? "" : "s"}: ${aliases.join(", ")}.`;
}

/** The list of subcommands: what `ipvsadm help` prints. */
export function overview(
  specs: readonly SubcommandSpec[],
  display: Display,
): string {
  const { title, strong } = display.paint;
  return [
    `${title("Usage:")} ${strong("ipvsadm SUBCOMMAND")} [ARGUMENT...] [OPTION...]\n`,
    section(
      "Subcommands:",
      display,
      specs.map(({ name, summary }) => [name, summary]),
    ),
    wrapped(
      "'ipvsadm SUBCOMMAND --help' describes a subcommand. 'ipvsadm --help' describes the classic options (-A, -L, -S ...).",
      0,
      display,
    ),
  ].join("\n");
}

/** An argument in a usage line: `[SERVICE...]`. */
export function argumentUsage({ name, required, many }: ArgumentSpec): string {
  const usage = many ? `${name}...` : name;
  return required ? usage : `[${usage}]`;
}

/** `-o, --output FORMAT` */
export function optionUsage({ name, alias, value, type }: OptionSpec): string {
  const letter = alias === undefined ? "    " : `-${alias}, `;
  const placeholder = type === "flag" ? "" : ` ${value ?? name.toUpperCase()}`;
  return `${letter}--${name}${placeholder}`;
}

function optionText(option: OptionSpec): string {
  const { description, choices, default: preset } = option;
  const text = withChoices(description, choices);
  return preset === undefined ? text : `${text} (default: ${preset})`;
}

function withChoices(
  text: string,
  choices: readonly string[] | undefined,
): string {
  return choices ? `${text}. One of: ${choices.join(", ")}` : text;
}

/** A title, and below it terms on the left with their explanations on the right. */
function section(
  title: string,
  display: Display,
  terms: readonly (readonly [term: string, explanation: string])[],
): string {
  const widest = Math.max(0, ...terms.map(([term]) => term.length));
  const left = Math.min(widest, LEFT_COLUMNS) + 4;
  const lines = terms.map(([term, explanation]) => {
    const body = wrapped(explanation, left, display);
    const head = `  ${display.paint.name(term)}`;
    return term.length + 4 > left
      ? `${head}\n${body}`
      : head + " ".repeat(left - term.length - 2) + body.trimStart();
  });
  return `${display.paint.title(title)}\n${lines.join("")}`;
}

/** Wraps a text to lines that fit, each indented and with a line feed. */
export function wrapped(
  text: string,
  indent: number,
  { width = DEFAULT_LINE }: Pick<Display, "width">,
): string {
  const room = Math.max(Math.min(width, LONGEST_LINE) - indent, 20);
  return wrapWords(text, room)
    .map((line) => `${" ".repeat(indent)}${line}\n`)
    .join("");
}
