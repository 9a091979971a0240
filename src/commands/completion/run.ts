import { EXIT } from "../../cli/exit-status.js";
import type { RunSubcommand } from "../../cli/invocation.js";
import { scriptFor } from "./shell-scripts.js";
import { isShell } from "./shells.js";

export const run: RunSubcommand = ({ given, output }) => {
  const [shell] = given.positionals;
  if (isShell(shell)) output.write(scriptFor(shell));
  return Promise.resolve(EXIT.ok);
};
