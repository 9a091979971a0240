import { applyVerb } from "./apply/row.js";
import { checkVerb } from "./check/row.js";
import { completionVerb } from "./completion/row.js";
import { connectionsVerb } from "./connections/row.js";
import { diffVerb } from "./diff/row.js";
import { doctorVerb } from "./doctor/row.js";
import { drainVerb } from "./drain/row.js";
import { helpVerb } from "./help/row.js";
import { listVerb } from "./list/row.js";
import { metricsVerb } from "./metrics/row.js";
import { restoreVerb } from "./restore/row.js";
import { saveVerb } from "./save/row.js";
import { statusVerb } from "./status/row.js";
import { undrainVerb } from "./undrain/row.js";
import { watchVerb } from "./watch/row.js";
import type { VerbOption, VerbRow } from "./row.js";

/**
 * The word verbs, in the order in which the help lists them. The parser, `--help`, completion and the test of the
 * man page read these rows. A row loads none of its verb's code; `load` does.
 */
export const VERBS: readonly VerbRow[] = [
  listVerb,
  connectionsVerb,
  watchVerb,
  statusVerb,
  checkVerb,
  diffVerb,
  applyVerb,
  saveVerb,
  restoreVerb,
  drainVerb,
  undrainVerb,
  doctorVerb,
  metricsVerb,
  completionVerb,
  helpVerb,
];

/** The options that every verb takes. */
export const COMMON_OPTIONS: readonly VerbOption[] = [
  {
    name: "color",
    value: "WHEN",
    type: "text",
    choices: ["auto", "always", "never"],
    default: "auto",
    description:
      "colours: auto where stdout is a terminal, unless NO_COLOR is set or TERM is dumb",
  },
  { name: "help", alias: "h", type: "flag", description: "show this text" },
];

/** The verb with a name. */
export function verbNamed(name: string): VerbRow | undefined {
  return VERBS.find((row) => row.name === name);
}

/** All options that a verb takes: its own, then those of every verb. */
export function optionsOf(row: VerbRow): readonly VerbOption[] {
  return [...row.options, ...COMMON_OPTIONS];
}
