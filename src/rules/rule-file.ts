import type { Rule } from "../document/read-table.js";
import type { Table } from "../ipvs/table.js";
import type { Place } from "./text-lines.js";

export type { Place } from "./text-lines.js";
export type { Rule } from "../document/read-table.js";

/** What a rule has that can be wrong by itself, and so has a place of its own. */
export type Part =
  /** The service that a real server belongs to */
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

/** Something about a rule that its writer will want to know. */
export interface RuleFinding {
  readonly place: Place;
  /** What kind it is, in words with dashes: it stays the same from version to version */
  readonly id: string;
  /** What is wrong. It may repeat what the file says: escape it before it is shown. */
  readonly fault: string;
  /** What to do about it */
  readonly advice?: string;
  /** Of a document: the value that is at fault, such as `services[3].servers[0].weight` */
  readonly path?: string;
}

/** A file of rules: classic command lines, or a document in JSON or YAML. */
export interface RuleFile {
  /** As the user wrote it; `-` is standard input */
  readonly name: string;
  readonly format: Format;
  /**
   * What the file describes, starting from an empty table; members that it does not speak of are undefined. With
   * faults, what is at fault is left out or has something harmless where it is, so this is not to be set.
   */
  readonly table: Table;
  /** What cannot be carried out, by its form or because every kernel refuses it: all of it, in the order of the text */
  readonly faults: readonly RuleFinding[];
  /** What the text says otherwise than its writer will think, though the table does not show it */
  readonly remarks: readonly RuleFinding[];
  /** Rules that have a fault: what they say is not to be relied on */
  readonly invalid: ReadonlySet<Rule>;
  /** Services of which a real server is at fault, and so may not be there */
  readonly incomplete: ReadonlySet<Rule>;
  /** Where a rule stands, or a part of it; undefined for a rule that is none of the file's. */
  placeOf(rule: Rule, part?: Part): Place | undefined;
  /** The path of a rule in a document; undefined where there are no paths. */
  pathOf(rule: Rule, part?: Part): string | undefined;
  /** A line of the text, by its number from 1, for showing it: escape it before. */
  line(number: number): string;
}

/** How a file of rules is written. */
export type Format = "rules" | "json" | "yaml";
