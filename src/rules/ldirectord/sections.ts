import { nearest } from "../../text/nearest.js";
import type { Position } from "../rule-file.js";
import type { ConfigurationBuilder } from "../configuration-builder.js";

/** `NAME = VALUE`. */
export interface Option {
  readonly name: string;
  readonly value: string;
  readonly at: Position;
  readonly valueAt: Position;
}

/** `virtual = …` with the indented lines below it. */
export interface Section {
  readonly virtual: Option;
  readonly options: readonly Option[];
}

/** A configuration of ldirectord. */
export interface Sections {
  readonly globals: readonly Option[];
  readonly virtuals: readonly Section[];
}

/** Options that are valid in a section and above all sections. */
const EVERYWHERE = [
  "checktimeout",
  "negotiatetimeout",
  "checkinterval",
  "checkcount",
  "failurecount",
  "fallback",
  "fallbackcommand",
  "quiescent",
  "emailalert",
  "emailalertfreq",
  "emailalertstatus",
  "cleanstop",
  "smtp",
];

const GLOBAL: ReadonlySet<string> = new Set([
  ...EVERYWHERE,
  "fallback6",
  "autoreload",
  "callback",
  "logfile",
  "execute",
  "fork",
  "supervised",
  "readdquiescent",
  "emailalertfrom",
  "maintenancedir",
]);

const OF_SECTION: ReadonlySet<string> = new Set([
  ...EVERYWHERE,
  "fallback6",
  "real",
  "real6",
  "request",
  "receive",
  "checktype",
  "checkcommand",
  "checkport",
  "login",
  "passwd",
  "database",
  "secret",
  "load",
  "scheduler",
  "persistent",
  "schedflags",
  "netmask",
  "protocol",
  "ops",
  "service",
  "httpmethod",
  "virtualhost",
  "monitorfile",
  "servicename",
  "comment",
]);

const OPTION = /^(\s*)([A-Za-z]\w*)(\s*=\s*)(.*)$/;
const INDENTED = /^(?: {0,3}\t| {4})\s*\S/;

/**
 * Splits a configuration into global options and sections. A section consists of the lines below `virtual = …` that are
 * indented by a tab or four spaces; a blank line ends it.
 *
 * @see ldirectord(8), "SYNTAX"
 */
export function parseSections(
  text: string,
  builder: ConfigurationBuilder,
): Sections {
  const globals: Option[] = [];
  const virtuals: (Section & { options: Option[] })[] = [];
  let section: (Section & { options: Option[] }) | undefined;
  let isStray = false;
  for (const [i, line] of text.split("\n").entries()) {
    if (/^\s*#/.test(line)) continue;
    const at = { line: i + 1, column: line.search(/\S|$/) + 1 };
    if (section && INDENTED.test(line)) {
      const option = readOption(line.replace(/#.*/, ""), i + 1);
      if (option && OF_SECTION.has(option.name)) section.options.push(option);
      else unknown(line, at, OF_SECTION, builder);
      continue;
    }
    section = undefined;
    if (line.trim() === "") continue;
    const option = readOption(line, i + 1);
    if (/^\s/.test(line)) {
      if (!isStray)
        builder.error(
          at,
          "outside-section",
          "this line belongs to no virtual service: only lines directly below it count, indented by a tab or 4 spaces",
          "remove blank lines within the section, or indent the line",
        );
      isStray = true;
      continue;
    }
    isStray = false;
    if (option && /^virtual6?$/.test(option.name)) {
      section = { virtual: option, options: [] };
      virtuals.push(section);
    } else if (option && GLOBAL.has(option.name)) globals.push(option);
    else if (line.trim() !== "supervised")
      unknown(line, at, [...GLOBAL, "virtual", "virtual6"], builder);
  }
  return { globals, virtuals };
}

function readOption(line: string, number: number): Option | undefined {
  const [, indent, name, equals, value] = OPTION.exec(line.trimEnd()) ?? [];
  if (
    indent === undefined ||
    name === undefined ||
    equals === undefined ||
    value === undefined
  )
    return undefined;
  const start = indent.length + 1;
  return {
    name,
    value,
    at: { line: number, column: start },
    valueAt: { line: number, column: start + name.length + equals.length },
  };
}

function unknown(
  line: string,
  at: Position,
  known: Iterable<string>,
  builder: ConfigurationBuilder,
): void {
  const name = /^\s*([\w-]+)/.exec(line)?.[1] ?? line.trim();
  const meant = nearest(name, known);
  builder.error(
    at,
    "unknown-option",
    `unknown option "${name}"`,
    meant === undefined ? undefined : `did you mean ${meant}?`,
  );
}
