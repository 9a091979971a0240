import { IpvsAccess } from "../../runtime/ipvs-access.js";
import { jsonText } from "../../document/json-text.js";
import { compare, isEqual } from "../../plan/compare.js";
import { readExisting } from "../../plan/snapshot.js";
import {
  differenceMembers,
  tallyMembers,
} from "../../cli/changes/difference-json.js";
import { differenceLines } from "../../cli/changes/difference-lines.js";
import {
  checkSelected,
  checkWhole,
  partsOf,
  readScope,
} from "../../cli/changes/scope.js";
import { tallyOf, tallyText } from "../../cli/changes/tally.js";
import { EXIT } from "../../cli/exit-status.js";
import type { RunSubcommand } from "../../cli/invocation.js";
import { named, readSoundRules } from "../../cli/rule-file.js";

/** The exit status if something differs. */
const DIFFERS = 4;

export const run: RunSubcommand = async ({ given, io, output }) => {
  const [name = ""] = given.positionals;
  const scope = await readScope(given, io.names);
  const file = await readSoundRules(name, io, output);
  checkWhole(file, scope);
  const { table } = file;
  using access = new IpvsAccess(io);
  const client = await access.open();
  const existing = await readExisting(client, partsOf(table, scope), "steady");
  checkSelected(scope, table, existing);
  const differences = compare(table, existing, scope);
  const equal = isEqual(differences);
  if (given.text("output") === "json") {
    const document = {
      schema: "ipvsadm/diff/1",
      file: name,
      equal,
      changes: differenceMembers(differences),
      tally: tallyMembers(tallyOf(differences)),
    };
    output.write(`${jsonText(document)}\n`);
  } else if (equal)
    output.lines([`${named(name)}: nothing to change, the table is like that`]);
  else {
    output.lines(differenceLines(differences, output.paint));
    output.lines([
      tallyText(tallyOf(differences), {
        add: "to add",
        change: "to change",
        remove: "to remove",
      }),
    ]);
  }
  return equal ? EXIT.ok : DIFFERS;
};
