import { COMMON_OPTIONS } from "../../src/cli/common-options.js";
import { aliasesText } from "../../src/cli/help.js";
import { ALL_SPECS } from "./all-specs.js";
import type { OptionSpec, SubcommandSpec } from "../../src/cli/spec.js";

/*
 * Makes the manual page of the subcommands from their specs. A test compares man/ipvsadm-subcommands.8 with it, so a new
 * subcommand or option must be in the page.
 */

/** Writes prose as mdoc, with a line per sentence. No line begins with a dot, and backslashes are escaped. */
export function mdocProse(text: string): string {
  return text
    .replace(/\\/g, "\\e")
    .replace(/([.?!:]) (?=[A-Z])/g, "$1\n")
    .split("\n")
    .map((line) => line.replace(/^([.'])/, "\\&$1"))
    .join("\n");
}

/** Writes a text that mdoc must not interpret. */
function literal(text: string): string {
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
  const details = [
    ...(choices ? [`One of: ${choices.join(", ")}.`] : []),
    ...(option.type === "list"
      ? ["It may be repeated, and takes values separated by commas."]
      : []),
    ...(option.default === undefined ? [] : [`Default: ${option.default}.`]),
  ];
  return [
    `.It ${spellings.join(" , ")}`,
    mdocProse(sentence(description)),
    ...details.map(mdocProse),
  ].join("\n");
}

function optionList(options: readonly OptionSpec[]): string[] {
  if (options.length === 0) return [];
  return [".Bl -tag -width Ds", ...options.map(optionEntry), ".El"];
}

function synopsis({ name, positionals, options }: SubcommandSpec): string {
  const args = positionals.map(({ name, required, many }) => {
    const arg = `Ar ${name}${many ? " ..." : ""}`;
    return required ? arg : `Oo ${arg} Oc`;
  });
  const anyOption = options.length > 0 ? ["Oo Ar option ... Oc"] : [];
  return [`.Nm ipvsadm`, `.Cm ${[name, ...anyOption, ...args].join(" ")}`].join(
    "\n",
  );
}

function section(spec: SubcommandSpec): string[] {
  const { name, summary, description, positionals, options, examples } = spec;
  return [
    `.Ss ${name}: ${summary}`,
    ...description.flatMap((paragraph, i) => [
      ...(i > 0 ? [".Pp"] : []),
      mdocProse(paragraph),
    ]),
    ...(spec.aliases ? [".Pp", aliasesText(spec.aliases)] : []),
    ...positionals.flatMap((argument) => [
      ".Pp",
      `.Ar ${argument.name} :`,
      mdocProse(sentence(argument.description)),
    ]),
    ...optionList(options),
    ...(spec.terms ?? []).flatMap(({ title, terms }) => [
      ".Pp",
      `${title}:`,
      ".Bl -tag -width Ds",
      ...terms.map(
        ([term, explanation]) =>
          `.It ${literal(term)}\n${mdocProse(sentence(explanation))}`,
      ),
      ".El",
    ]),
    ...(examples.length > 0
      ? [
          ".Pp",
          "Examples:",
          ".Bl -tag -width Ds",
          ...examples.map(
            (example) =>
              `.It Li ${literal(example.command)}\n${mdocProse(sentence(example.shows))}`,
          ),
          ".El",
        ]
      : []),
  ];
}

/** Returns the whole page. */
export function manual(): string {
  const lines = [
    `.\\" Generated from the specs of the subcommands: UPDATE_GOLDEN=1 node --test dist/test/commands/manual.test.js`,
    ".Dd November 21, 2026",
    ".Dt IPVSADM-SUBCOMMANDS 8",
    ".Os Linux",
    ".Sh NAME",
    ".Nm ipvsadm-subcommands",
    ".Nd the subcommands of ipvsadm",
    ".Sh SYNOPSIS",
    ...ALL_SPECS.map(synopsis),
    ".Sh DESCRIPTION",
    "If the first argument of",
    ".Nm ipvsadm",
    "is a word, it is a subcommand.",
    "Subcommands are for people at a terminal and for programs that read JSON.",
    ".Xr ipvsadm 8",
    "describes the classic options.",
    ".Pp",
    "Results go to standard output, messages to standard error.",
    "A misspelled subcommand or option gets a suggestion.",
    ".Pp",
    "A subcommand that only reads never loads the module",
    ".Li ip_vs ,",
    "and neither does",
    ".Fl -dry-run .",
    "If the module is not loaded, it exits with status 3.",
    "A subcommand that changes the table loads the module if needed, and so do the classic options.",
    ".Pp",
    "Every subcommand accepts these options:",
    ...optionList(COMMON_OPTIONS),
    ...ALL_SPECS.flatMap(section),
    ".Sh ENVIRONMENT",
    ".Bl -tag -width Ds",
    ".It Ev NO_COLOR",
    "If it is set and not empty, output has no colors, except with",
    ".Fl -color Ar always .",
    ".It Ev COLUMNS",
    "The width of the output, instead of the width of the terminal.",
    ".El",
    ".Sh EXIT STATUS",
    ".Bl -tag -width Ds",
    ".It 0",
    "Success.",
    ".It 1",
    "The examined object has a fault, or the operation failed.",
    ".It 2",
    "The command line is wrong.",
    ".It 3",
    "The kernel has no IPVS, or the user lacks the privilege to use it.",
    ".It 4",
    "Only diff: the file and the table differ.",
    ".It 5",
    "Only wait: the service or real server is not in the table.",
    ".It 124",
    "Only wait: the time of --timeout is over, as with timeout(1).",
    ".It 130",
    "Ended by Ctrl-C (SIGINT); 143: by SIGTERM; 129: by SIGHUP.",
    ".It 141",
    "The reader of the output is gone.",
    ".El",
    ".Sh SEE ALSO",
    ".Xr ipvsadm 8 ,",
    ".Xr ipvsadm-doctor 8 ,",
    ".Xr ipvsadm-restore 8 ,",
    ".Xr ipvsadm-save 8",
  ];
  return `${lines.join("\n")}\n`;
}
