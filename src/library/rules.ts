import type { Change } from "../ipvs/change.js";
import type { Table } from "../ipvs/table.js";
import type { FindIncluded } from "../rules/included-files.js";
import {
  callback,
  checkCall,
  object,
  oneOf,
  optional,
  such,
  text,
} from "./shape.js";
import { CHANGE, TABLE } from "./shapes.js";

/**
 * An error or a warning of a rule file.
 *
 * @since 0.2.0
 */
export interface RuleFinding {
  /** Errors: malformed rules, and rules that every kernel refuses. Warnings: probably a mistake */
  readonly severity: "error" | "warning";
  /** The kind of finding, such as `port-ignored`. It does not change between versions */
  readonly id: string;
  /** What is wrong. It may quote the file, control characters included */
  readonly message: string;
  /** What to do about it */
  readonly advice?: string | undefined;
  /** The line, counted from 1 */
  readonly line: number;
  /** The column, counted from 1 */
  readonly column: number;
  /**
   * In a document, the path of the value, such as `services[3].servers[0].weight`. In an included
   * file, its name and line
   */
  readonly path?: string | undefined;
}

/**
 * A rule file that was read: its table, and what `ipvsadm check` reports about it.
 *
 * @since 0.2.0
 */
export interface RuleFile {
  /** The name, as given */
  readonly name: string;
  /** The format that was found in the text */
  readonly format: "rules" | "json" | "yaml" | "keepalived" | "ldirectord";
  /**
   * The table that the file describes. Timeouts and sync daemons are absent if the file does not
   * have them. With errors it is incomplete: do not apply it
   */
  readonly table: Table;
  /** Errors and warnings, in the order of the text */
  readonly findings: readonly RuleFinding[];
  /** Whether there is no error */
  readonly valid: boolean;
}

/**
 * How to read rules.
 *
 * @since 0.2.0
 */
export interface ReadRulesOptions {
  /** The name of the text; its extension decides if the text does not show the format */
  readonly name?: string | undefined;
  /**
   * Finds the IPv4 address of a host in the rules, dotted; undefined if it has none. By default it
   * asks the resolver of this machine
   */
  readonly hostAddress?:
    ((host: string) => Promise<string | undefined>) | undefined;
}

const OPTIONS = optional(
  object("options", { name: optional(text), hostAddress: optional(callback) }),
);

/**
 * A rule file cannot be read: `code` says why.
 *
 * @since 0.2.0
 */
export class RuleFileUnreadable extends Error {
  override readonly name = "RuleFileUnreadable";
  /** What to do next, as a phrase without a period */
  readonly advice: string = "check the path and its permissions";

  /**
   * @param path the file
   * @param code the symbol of the error, such as `ENOENT`
   */
  constructor(
    /** The file */
    readonly path: string,
    /** The symbol of the error, such as `ENOENT` */
    readonly code: string,
  ) {
    super(`Cannot read ${path}: ${code}`);
  }
}

/**
 * Reads rules from a text: classic options, JSON or YAML of the schema `ipvsadm/table/1`, or the
 * configuration of keepalived or ldirectord. Reports all findings of `ipvsadm check`. Uses no kernel,
 * and the network only to look up host names. A configuration cannot include files.
 *
 * @param rules the text, or its bytes in UTF-8
 * @throws {InvalidArgument} if an argument has a wrong type
 * @since 0.2.0
 */
export async function parseRules(
  rules: string | Uint8Array,
  options: ReadRulesOptions = {},
): Promise<RuleFile> {
  checkCall(
    "parseRules",
    [
      "rules",
      rules,
      such(
        "a string or a Uint8Array",
        (value) => typeof value === "string" || value instanceof Uint8Array,
      ),
    ],
    ["options", options, OPTIONS],
  );
  return read(options.name ?? "rules", rules, options, undefined);
}

/**
 * Reads a rule file, as {@link parseRules} does. A configuration can include files.
 *
 * @param path the file
 * @throws {RuleFileUnreadable} if the file cannot be read
 * @throws {InvalidArgument} if an argument has a wrong type
 * @since 0.2.0
 */
export async function readRuleFile(
  path: string,
  options: ReadRulesOptions = {},
): Promise<RuleFile> {
  checkCall(
    "readRuleFile",
    ["path", path, text],
    ["options", options, OPTIONS],
  );
  const { readWholeFile } = await import("../system/read-file.js");
  let bytes: Uint8Array;
  try {
    bytes = readWholeFile(path);
  } catch (error) {
    const { code = "unknown" } = error as NodeJS.ErrnoException;
    throw new RuleFileUnreadable(path, code);
  }
  const { findIncluded } = await import("../cli/included-files.js");
  return read(options.name ?? path, bytes, options, findIncluded);
}

async function read(
  name: string,
  rules: string | Uint8Array,
  { hostAddress }: ReadRulesOptions,
  find: FindIncluded | undefined,
): Promise<RuleFile> {
  const [{ readRules }, { warningsOf }, { systemNames }] = await Promise.all([
    import("../rules/read-rules.js"),
    import("../rules/warnings.js"),
    import("../system/names.js"),
  ]);
  const names = systemNames();
  const lookups = hostAddress ? { ...names, hostAddress } : names;
  const bytes = Buffer.from(rules as Uint8Array).toString("latin1");
  const file = await readRules(name, bytes, lookups, find);
  const finding =
    (severity: RuleFinding["severity"]) =>
    ({
      position: { line, column },
      id,
      message,
      advice,
      path,
    }: (typeof file.errors)[number]): RuleFinding => ({
      severity,
      id,
      message,
      advice,
      line,
      column,
      path,
    });
  return {
    name,
    format: file.format,
    table: file.table,
    findings: [
      ...file.errors.map(finding("error")),
      ...warningsOf(file).map(finding("warning")),
    ].sort((a, b) => a.line - b.line || a.column - b.column),
    valid: file.errors.length === 0,
  };
}

/**
 * Formats a change as a line of classic options: `-a -t 192.0.2.1:80 -r 10.0.0.11:8080 -m -w 1`.
 *
 * @throws {InvalidArgument} if the change is malformed
 * @since 0.2.0
 */
export async function formatChange(change: Change): Promise<string> {
  checkCall("formatChange", ["change", change, CHANGE]);
  const { changeLine } = await import("../grammar/format-rule.js");
  return Buffer.from(changeLine(change), "latin1").toString();
}

/**
 * Formats a table as a document that {@link parseRules}, `ipvsadm apply` and `restore` read.
 *
 * @param format `json` or `yaml`; both contain all settings
 * @throws {InvalidArgument} if an argument is wrong
 * @since 0.2.0
 */
export async function formatTable(
  table: Table,
  format: "json" | "yaml",
): Promise<string> {
  checkCall(
    "formatTable",
    ["table", table, TABLE],
    ["format", format, oneOf("json", "yaml")],
  );
  const { tableMembers } = await import("../document/write-table.js");
  const { HASHED } = await import("../ipvs/model.js");
  const members = tableMembers({
    ...table,
    // The kernel sets this flag itself.
    services: table.services.map((service) => ({
      ...service,
      settings: {
        ...service.settings,
        flags: (service.settings.flags & ~HASHED) >>> 0,
      },
    })),
  });
  if (format === "json") {
    const { jsonText } = await import("../document/json-text.js");
    return `${jsonText(members)}\n`;
  }
  const { yamlText } = await import("../document/yaml-text.js");
  return yamlText(members);
}
