import { UsedWrong } from "../faults.js";
import { nearest } from "../../nearest.js";
import { EXIT, type VerbRun } from "../row.js";
import { VERBS, verbNamed } from "../table.js";
import { helpOf, overview } from "./text.js";

export const run: VerbRun = ({ given, output }) => {
  const [name] = given.positionals;
  const row = name === undefined ? undefined : verbNamed(name);
  if (name !== undefined && !row) {
    const names = VERBS.map((verb) => verb.name);
    throw new UsedWrong(
      `there is no verb ${name}`,
      undefined,
      nearest(name, names),
    );
  }
  output.write(row ? helpOf(row, output) : overview(output));
  return Promise.resolve(EXIT.fine);
};
