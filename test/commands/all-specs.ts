import type { SubcommandSpec } from "../../src/cli/spec.js";
import { FLEET_SPECS } from "../../src/commands/fleet/specs.js";
import { SPECS } from "../../src/commands/specs.js";

/** The specs of all subcommands, and of the actions of fleet after it. */
export const ALL_SPECS: readonly SubcommandSpec[] = SPECS.flatMap((spec) =>
  spec.name === "fleet" ? [spec, ...FLEET_SPECS] : [spec],
);
