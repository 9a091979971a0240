import { applySpec } from "./apply/spec.js";
import { checkSpec } from "./check/spec.js";
import { completionSpec } from "./completion/spec.js";
import { connectionsSpec } from "./connections/spec.js";
import { diffSpec } from "./diff/spec.js";
import { doctorSpec } from "./doctor/spec.js";
import { drainSpec } from "./drain/spec.js";
import { fleetSpec } from "./fleet/spec.js";
import { helpSpec } from "./help/spec.js";
import { listSpec } from "./list/spec.js";
import { metricsSpec } from "./metrics/spec.js";
import { monitorSpec } from "./monitor/spec.js";
import { restoreSpec } from "./restore/spec.js";
import { saveSpec } from "./save/spec.js";
import { serveSpec } from "./serve/spec.js";
import { setupSpec } from "./setup/spec.js";
import { statusSpec } from "./status/spec.js";
import { undrainSpec } from "./undrain/spec.js";
import { waitSpec } from "./wait/spec.js";
import { watchSpec } from "./watch/spec.js";
import { findSpec, type SubcommandSpec } from "../cli/spec.js";

/** The specs of all subcommands, in the order of the help. Importing them does not load the code of the subcommands. */
export const SPECS: readonly SubcommandSpec[] = [
  listSpec,
  connectionsSpec,
  watchSpec,
  monitorSpec,
  statusSpec,
  checkSpec,
  diffSpec,
  applySpec,
  saveSpec,
  restoreSpec,
  drainSpec,
  undrainSpec,
  waitSpec,
  doctorSpec,
  setupSpec,
  serveSpec,
  metricsSpec,
  fleetSpec,
  completionSpec,
  helpSpec,
];

/** Returns the spec of a subcommand. */
export function specNamed(name: string): SubcommandSpec | undefined {
  return findSpec(SPECS, name);
}
