import { IpvsAccess } from "../../runtime/ipvs-access.js";
import { jsonText } from "../../document/json-text.js";
import { compare, isUpToDate } from "../../plan/compare.js";
import { readCurrentState } from "../../plan/current-state.js";
import {
  countDifferences,
  countsText,
} from "../../cli/changes/difference-counts.js";
import { differencesJson } from "../../cli/changes/difference-json.js";
import {
  differenceLines,
  upToDateText,
} from "../../cli/changes/difference-lines.js";
import {
  checkSelected,
  checkWhole,
  partsOf,
  readScope,
} from "../../cli/changes/scope.js";

import { EXIT } from "../../cli/exit-status.js";
import type { RunSubcommand } from "../../cli/invocation.js";
import { readValidRules } from "../../cli/rule-file.js";

/** The exit status if the table differs from the file. */
const DIFFERS = 4;

export const run: RunSubcommand = async ({ given, io, output }) => {
  const [name = ""] = given.positionals;
  const scope = await readScope(given, io.names);
  const file = await readValidRules(name, io, output);
  checkWhole(file, scope);
  const { table } = file;
  using access = new IpvsAccess(io);
  const client = await access.open();
  const current = await readCurrentState(
    client,
    partsOf(table, scope),
    "steady",
  );
  checkSelected(scope, table, current);
  const differences = compare(table, current, scope);
  const equal = isUpToDate(differences);
  if (given.text("output") === "json") {
    const document = {
      schema: "ipvsadm/diff/1",
      file: name,
      equal,
      ...differencesJson(differences),
    };
    output.write(`${jsonText(document)}\n`);
  } else if (equal) output.lines([upToDateText(name)]);
  else {
    output.lines(differenceLines(differences, output.paint));
    output.lines([
      countsText(countDifferences(differences), {
        add: "to add",
        change: "to change",
        remove: "to remove",
      }),
    ]);
  }
  return equal ? EXIT.ok : DIFFERS;
};
