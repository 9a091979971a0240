import { COMMON_OPTIONS } from "../../src/cli/common-options.js";
import { aliasesText, argumentUsage, optionUsage } from "../../src/cli/help.js";
import type { OptionSpec, SubcommandSpec } from "../../src/cli/spec.js";
import { ALL_SPECS } from "../commands/all-specs.js";
import type { Kind } from "../../src/doctor/finding.js";
import { KINDS } from "../../src/doctor/findings.js";
import { code, page, prose, sentence, table } from "./page.js";

/*
 * The reference pages that are made from tables of the code. reference.test.ts compares them with the files in
 * docs/reference.
 */

function optionRow(option: OptionSpec): string[] {
  const { choices, default: usual, description, type } = option;
  const remarks = [
    prose(sentence(description)),
    ...(choices ? [`One of ${choices.map(code).join(", ")}.`] : []),
    ...(type === "list" ? ["Repeat it, or separate values by commas."] : []),
    ...(usual === undefined ? [] : [`Default: ${code(usual)}.`]),
  ];
  return [code(optionUsage(option).trim()), remarks.join(" ")];
}

function optionTable(options: readonly OptionSpec[]): string {
  return table(["option", "meaning"], options.map(optionRow));
}

function subcommandSection(spec: SubcommandSpec): string[] {
  const { name, summary, description, positionals, options, examples } = spec;
  const usage = positionals.map(argumentUsage);
  return [
    `## ${name}`,
    prose(sentence(summary)),
    `    ipvsadm ${[name, ...usage, "[OPTION...]"].join(" ")}`,
    ...description.map(prose),
    ...(spec.aliases ? [aliasesText(spec.aliases)] : []),
    ...(positionals.length === 0
      ? []
      : [
          table(
            ["argument", "meaning"],
            positionals.map(({ name, description }) => [
              code(name),
              prose(sentence(description)),
            ]),
          ),
        ]),
    ...(options.length === 0 ? [] : [optionTable(options)]),
    ...(spec.terms ?? []).map(({ title, terms }) =>
      table(
        [title, "meaning"],
        terms.map(([term, explanation]) => [
          code(term),
          prose(sentence(explanation)),
        ]),
      ),
    ),
    ...(examples.length === 0
      ? []
      : [
          table(
            ["example", "what it does"],
            examples.map(({ command, shows }) => [
              code(command),
              prose(sentence(shows)),
            ]),
          ),
        ]),
  ];
}

/** docs/reference/subcommands.md */
export function subcommandReference(): string {
  return page(
    "Subcommands",
    "A command line that begins with a word is a subcommand. `ipvsadm SUBCOMMAND --help` and ipvsadm-subcommands(8) say the same as this page.",
    table(
      ["subcommand", "what it does"],
      ALL_SPECS.map(({ name, summary }) => [
        `[${name}](#${name.replace(" ", "-")})`,
        prose(sentence(summary)),
      ]),
    ),
    "## Options of every subcommand",
    optionTable(COMMON_OPTIONS),
    ...ALL_SPECS.flatMap(subcommandSection),
  );
}

function findingSection(kind: Kind): string[] {
  return [
    `## ${kind.id}`,
    `**${kind.severity}**: ${prose(kind.title)}`,
    prose(kind.why),
    `**What is examined**: ${prose(kind.looked)}`,
    `**Fix**: ${prose(kind.cure)}`,
    ...(kind.sysctls.length === 0
      ? []
      : [`**Sysctls**: ${kind.sysctls.map(code).join(", ")}`]),
  ];
}

/** docs/reference/findings.md */
export function findingReference(): string {
  return page(
    "Findings of doctor",
    "`ipvsadm doctor --list` prints this list, `ipvsadm doctor --explain ID` one finding, and ipvsadm-doctor(8) all of them.",
    table(
      ["finding", "severity", "what is wrong"],
      KINDS.map(({ id, severity, title }) => [
        `[${id}](#${id})`,
        severity,
        prose(title),
      ]),
    ),
    ...KINDS.flatMap(findingSection),
  );
}
