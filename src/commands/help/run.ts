import { UsageError } from "../../cli/errors.js";
import { nearest } from "../../text/nearest.js";
import { EXIT } from "../../cli/exit-status.js";
import type { RunSubcommand } from "../../cli/invocation.js";
import { SPECS, specNamed } from "../specs.js";
import { helpText, overview } from "../../cli/help.js";

export const run: RunSubcommand = ({ given, output }) => {
  const [name] = given.positionals;
  const spec = name === undefined ? undefined : specNamed(name);
  if (name !== undefined && !spec) {
    const names = SPECS.map((one) => one.name);
    throw new UsageError(
      `unknown subcommand ${name}`,
      undefined,
      nearest(name, names),
    );
  }
  output.write(spec ? helpText(spec, output) : overview(SPECS, output));
  return Promise.resolve(EXIT.ok);
};
