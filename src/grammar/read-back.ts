import { sameChange, type Change } from "../ipvs/change.js";
import type { ClassicCommand } from "./command.js";
import type { Lookups } from "./endpoint.js";
import { UsageFault } from "./usage-errors.js";
import { ruleWords } from "./rule-words.js";
import { parse } from "./parse.js";

/** What the classic language makes of a line that was written for a change. */
export type Reading =
  /** The change */
  | { readonly kind: "same" }
  /** Another one, as the language has no words for some of it */
  | { readonly kind: "other"; readonly change: Change }
  /** Nothing: a value is beyond what it takes */
  | { readonly kind: "fault"; readonly sentence: string };

/** In rules with numbers there is nothing to look up. */
const NO_NAMES: Lookups = { host: () => undefined, port: () => undefined };

/** Reads a line as -R does, and looks whether it says what it was written for. */
export function readBack(line: string, change: Change): Reading {
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
