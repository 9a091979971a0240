import { EXIT, type VerbRun } from "../row.js";
import { scriptFor } from "./scripts.js";
import { isShell } from "./shells.js";

export const run: VerbRun = ({ given, output }) => {
  const [shell] = given.positionals;
  if (isShell(shell)) output.write(scriptFor(shell));
  return Promise.resolve(EXIT.fine);
};
