import type { SubcommandSpec } from "../../cli/spec.js";
import { agentSpec } from "./agent/spec.js";
import { diffRevisionsSpec } from "./diff/spec.js";
import { fleetDrainSpec } from "./drain/spec.js";
import { forgetSpec } from "./forget/spec.js";
import { historySpec } from "./history/spec.js";
import { initSpec } from "./init/spec.js";
import { overrideSpec } from "./override/spec.js";
import { publishSpec } from "./publish/spec.js";
import { rollbackSpec } from "./rollback/spec.js";
import { rolloutSpec } from "./rollout/spec.js";
import { showSpec } from "./show/spec.js";
import { fleetStatusSpec } from "./status/spec.js";
import { fleetUndrainSpec } from "./undrain/spec.js";

/** The specs of all actions, in the order of the help. */
export const FLEET_SPECS: readonly SubcommandSpec[] = [
  initSpec,
  publishSpec,
  historySpec,
  showSpec,
  diffRevisionsSpec,
  rollbackSpec,
  rolloutSpec,
  fleetStatusSpec,
  fleetDrainSpec,
  fleetUndrainSpec,
  overrideSpec,
  forgetSpec,
  agentSpec,
];
