import type { Rule } from "../document/read-table.js";
import type { Daemon } from "../ipvs/model.js";
import type { Table } from "../ipvs/table.js";
import type { HealthChecks } from "./health-checks.js";
import type { Position } from "./text-lines.js";

export type { Position } from "./text-lines.js";
export type { Rule } from "../document/read-table.js";

/** A part of a rule that has a position of its own. */
export type Part =
  /** The service of a real server */
  | "service"
  | "address"
  | "port"
  | "scheduler"
  | "flags"
  | "timeout"
  | "netmask"
  | "engine"
  | "onePacket"
  | "forwarding"
  | "weight"
  | "tunnel"
  | "tunnelPort"
  | "upperThreshold"
  | "lowerThreshold"
  | "group";

/** An error or a warning. */
export interface RuleFinding {
  readonly position: Position;
  /** The kind of finding, such as `port-ignored`. It does not change between versions. */
  readonly id: string;
  /** What is wrong. It may quote the file: escape it before it is shown. */
  readonly message: string;
  /** What to do about it */
  readonly advice?: string;
  /**
   * In a document, the path of the value, such as `services[3].servers[0].weight`. In a file that a configuration
   * includes, the name of that file with the line, such as `conf.d/web.conf:3`.
   */
  readonly path?: string;
  /** The rule that it concerns; undefined if it concerns the text */
  readonly rule?: Rule;
}

/** A file of rules: classic command lines, a document in JSON or YAML, or the configuration of a health checker. */
export interface RuleFile {
  /** As given on the command line; `-` is standard input */
  readonly name: string;
  readonly format: Format;
  /**
   * The table that results if the file is applied to an empty one. Timeouts and sync daemons are undefined if the file
   * does not contain them. If there are errors, the table is incomplete and must not be applied.
   */
  readonly table: Table;
  /** Malformed rules, and rules that every kernel refuses, in the order of the text */
  readonly errors: readonly RuleFinding[];
  /** Warnings that follow from the text and cannot be found in the table */
  readonly textWarnings: readonly RuleFinding[];
  /** Rules with an error: their settings are unreliable */
  readonly invalid: ReadonlySet<Rule>;
  /** Services with an invalid real server, which may be missing in the table */
  readonly incomplete: ReadonlySet<Rule>;
  /** What health checks can change; only in the configuration of a health checker */
  readonly healthChecks?: HealthChecks;
  /** The sync daemon in both roles, if VRRP chooses its role; the table contains the initial one */
  readonly vrrpDaemons?: readonly Daemon[];
  /** The position of a rule or of a part of it; undefined if the rule is not from this file. */
  positionOf(rule: Rule, part?: Part): Position | undefined;
  /** The `path` of findings of a rule; undefined if there is none. */
  pathOf(rule: Rule, part?: Part): string | undefined;
  /** A line of the text, counted from 1. Escape it before it is shown. */
  line(number: number): string;
}

/** The format of a file of rules. */
export type Format = "rules" | "json" | "yaml" | "keepalived" | "ldirectord";
