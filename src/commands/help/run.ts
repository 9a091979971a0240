import { UsageError } from "../../cli/errors.js";
import { nearest } from "../../text/nearest.js";
import { EXIT } from "../../cli/exit-status.js";
import type { RunSubcommand } from "../../cli/invocation.js";
import type { SubcommandSpec } from "../../cli/spec.js";
import { SPECS, specNamed } from "../specs.js";
import { helpText, overview } from "../../cli/help.js";

export const run: RunSubcommand = async ({ given, output }) => {
  const [name, action] = given.positionals;
  const spec = name === undefined ? undefined : await find(name, action);
  output.write(spec ? helpText(spec, output) : overview(SPECS, output));
  return EXIT.ok;
};

/** @throws {UsageError} there is no such subcommand, or it has no such action */
async function find(
  name: string,
  action: string | undefined,
): Promise<SubcommandSpec> {
  const spec = specNamed(name);
  if (!spec) {
    const names = SPECS.map((one) => one.name);
    throw new UsageError(
      `unknown subcommand ${name}`,
      undefined,
      nearest(name, names),
    );
  }
  if (action === undefined) return spec;
  const { FLEET_SPECS } = await import("../fleet/specs.js");
  const found = FLEET_SPECS.find((one) => one.name === `${name} ${action}`);
  if (!found) throw new UsageError(`${name} has no action ${action}`, name);
  return found;
}
