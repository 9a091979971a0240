import { PROTOCOL_WORDS } from "../document/enum-names.js";
import type { ArgumentSpec, OptionSpec, SubcommandSpec } from "./spec.js";

/** The options that every subcommand accepts. */
export const COMMON_OPTIONS: readonly OptionSpec[] = [
  {
    name: "color",
    value: "WHEN",
    type: "text",
    choices: ["auto", "always", "never"],
    default: "auto",
    description:
      "use colors. auto: if stdout is a terminal, NO_COLOR is not set and TERM is not dumb",
  },
  { name: "help", alias: "h", type: "flag", description: "show this help" },
];

/** Returns all options of a subcommand: its own, then the common ones. */
export function optionsOf(spec: SubcommandSpec): readonly OptionSpec[] {
  return [...spec.options, ...COMMON_OPTIONS];
}

/** `-o, --output FORMAT`. The first format is the default. @param remark explains a format */
export function outputOption(
  formats: readonly [string, ...string[]],
  remark?: string,
): OptionSpec {
  return {
    name: "output",
    alias: "o",
    type: "text",
    value: "FORMAT",
    choices: formats,
    default: formats[0],
    description:
      remark === undefined ? "output format" : `output format; ${remark}`,
  };
}

/** `-w, --wide`, for tables. */
export const WIDE_OPTION: OptionSpec = {
  name: "wide",
  alias: "w",
  type: "flag",
  description: "print all columns, even if the lines are long",
};

/** `--names`. */
export const NAMES_OPTION: OptionSpec = {
  name: "names",
  type: "flag",
  description: "show host and port names instead of numbers",
};

/** `--protocol`, for services. */
export const PROTOCOL_FILTER: OptionSpec = {
  name: "protocol",
  type: "list",
  value: "PROTOCOL",
  choices: [...PROTOCOL_WORDS.all, "fwm"],
  description: "show only services with these protocols; fwm is firewall marks",
};

/** The SERVICE arguments of a subcommand that shows only these services. */
export const SERVICE_FILTER: ArgumentSpec = {
  name: "SERVICE",
  required: false,
  many: true,
  description:
    "show only these services: 192.0.2.1:80, tcp/192.0.2.1, udp/[2001:db8::1]:53, fwm/7, fwm6/7. Without protocol or port: any",
  completes: "service",
};
