import { COMMON_OPTIONS } from "../../src/cli/common-options.js";
import { SPECS } from "../../src/commands/specs.js";
import type { OptionSpec, SubcommandSpec } from "../../src/cli/spec.js";

/*
 * The manual page of the subcommands, as the table of the subcommands has it to be: man/ipvsadm-subcommands.8 is held to this, so a
 * new subcommand or option is in the page, or the tests fail.
 */

/** Text of a table as mdoc: no line begins with a dot, and a backslash stands for itself. */
export function mdocProse(text: string): string {
  return text
    .replace(/\\/g, "\\e")
    .replace(/([.?!:]) (?=[A-Z])/g, "$1\n")
    .split("\n")
    .map((line) => line.replace(/^([.'])/, "\\&$1"))
    .join("\n");
}

/** A word that mdoc is to take as it stands. */
function word(text: string): string {
  return text
    .replace(/\\/g, "\\e")
    .replace(/-/g, "\\-")
    .replace(/\|/g, "\\*(Ba");
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function optionEntry(option: OptionSpec): string {
  const { name, alias, value, choices, description } = option;
  const argument = value === undefined ? "" : ` Ar ${value}`;
  const spellings = [
    ...(alias === undefined ? [] : [`Fl ${alias}${argument}`]),
    `Fl -${name}${argument}`,
  ];
  const remarks = [
    ...(choices ? [`One of ${choices.join(", ")}.`] : []),
    ...(option.type === "list"
      ? ["May be repeated, or hold several between commas."]
      : []),
    ...(option.default === undefined ? [] : [`Without it: ${option.default}.`]),
  ];
  return [
    `.It ${spellings.join(" , ")}`,
    mdocProse(sentence(description)),
    ...remarks.map(mdocProse),
  ].join("\n");
}

function optionList(options: readonly OptionSpec[]): string[] {
  if (options.length === 0) return [];
  return [".Bl -tag -width Ds", ...options.map(optionEntry), ".El"];
}

function synopsis({ name, positionals, options }: SubcommandSpec): string {
  const places = positionals.map(({ name, required, many }) => {
    const place = `Ar ${name}${many ? " ..." : ""}`;
    return required ? place : `Oo ${place} Oc`;
  });
  const anyOption = options.length > 0 ? ["Oo Ar option ... Oc"] : [];
  return [
    `.Nm ipvsadm`,
    `.Cm ${[name, ...anyOption, ...places].join(" ")}`,
  ].join("\n");
}

function section(row: SubcommandSpec): string[] {
  const { name, summary, description, positionals, options, examples } = row;
  return [
    `.Ss ${name}: ${summary}`,
    ...description.flatMap((paragraph, i) => [
      ...(i > 0 ? [".Pp"] : []),
      mdocProse(paragraph),
    ]),
    ...positionals.flatMap((place) => [
      ".Pp",
      `.Ar ${place.name} :`,
      mdocProse(sentence(place.description)),
    ]),
    ...optionList(options),
    ...(examples.length > 0
      ? [
          ".Pp",
          "Examples:",
          ".Bl -tag -width Ds",
          ...examples.map(
            (example) =>
              `.It Li ${word(example.command)}\n${mdocProse(example.shows)}`,
          ),
          ".El",
        ]
      : []),
  ];
}

/** The page, whole. */
export function manual(): string {
  const lines = [
    `.\\" Made of the table of the subcommands: UPDATE_GOLDEN=1 node --test dist/test/commands/manual.test.js`,
    ".Dd November 21, 2026",
    ".Dt IPVSADM-SUBCOMMANDS 8",
    ".Os Linux",
    ".Sh NAME",
    ".Nm ipvsadm-subcommands",
    ".Nd the subcommands of ipvsadm",
    ".Sh SYNOPSIS",
    ...SPECS.map(synopsis),
    ".Sh DESCRIPTION",
    "A command line of",
    ".Xr ipvsadm 8",
    "that begins with a word is for people at a terminal, and for programs that",
    "read JSON.",
    "The commands that begin with a dash are described there.",
    ".Pp",
    "What is asked for goes to standard output, all else to standard error.",
    "A word that is nearly a subcommand, and an option that is nearly one of the subcommand,",
    "are answered with the right one.",
    ".Pp",
    "Every subcommand takes these options:",
    ...optionList(COMMON_OPTIONS),
    ...SPECS.flatMap(section),
    ".Sh ENVIRONMENT",
    ".Bl -tag -width Ds",
    ".It Ev NO_COLOR",
    "If it is not empty, there are no colors, unless",
    ".Fl -color Ar always",
    "is given.",
    ".It Ev COLUMNS",
    "The width that lines are to fit, in place of the terminal's.",
    ".El",
    ".Sh EXIT STATUS",
    ".Bl -tag -width Ds",
    ".It 0",
    "All is well.",
    ".It 1",
    "Something is wrong with what was looked at, or the kernel refused.",
    ".It 2",
    "The command line is at fault.",
    ".It 3",
    "There is no IPVS in the kernel, or no permission to ask for it.",
    ".El",
    ".Sh SEE ALSO",
    ".Xr ipvsadm 8 ,",
    ".Xr ipvsadm-doctor 8 ,",
    ".Xr ipvsadm-restore 8 ,",
    ".Xr ipvsadm-save 8",
  ];
  return `${lines.join("\n")}\n`;
}
