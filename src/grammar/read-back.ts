import { sameChange, type Change } from "../ipvs/change.js";
import type { ClassicCommand } from "./command.js";
import type { Lookups } from "./endpoint.js";
import { UsageFault } from "./usage-errors.js";
import { ruleWords } from "./rule-words.js";
import { parse } from "./parse.js";

/** The result of parsing a line that was written for a change. */
export type ReadBackResult =
  /** The same change */
  | { readonly kind: "same" }
  /** A different change, because the classic options cannot express all of it */
  | { readonly kind: "other"; readonly change: Change }
  /** A parse error, because a value is out of range */
  | { readonly kind: "fault"; readonly sentence: string };

/** Rules with numbers need no lookups. */
const NO_NAMES: Lookups = { host: () => undefined, port: () => undefined };

/** Parses a line like -R, and compares it with the change for which it was written. */
export function readBack(line: string, change: Change): ReadBackResult {
  let command: ClassicCommand;
  try {
    command = parse(ruleWords(line), NO_NAMES);
  } catch (error) {
    if (!(error instanceof UsageFault)) throw error;
    return { kind: "fault", sentence: error.sentence };
  }
  if (command.command !== change.command)
    throw new Error(`${line} was read as ${command.command}`);
  return sameChange(command, change)
    ? { kind: "same" }
    : { kind: "other", change: command };
}
