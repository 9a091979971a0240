import { differencesJson } from "../../../cli/changes/difference-json.js";
import { diffLines } from "../../../cli/changes/difference-lines.js";
import { WHOLE_TABLE } from "../../../cli/changes/scope.js";
import { EXIT } from "../../../cli/exit-status.js";
import type { RunSubcommand } from "../../../cli/invocation.js";
import { jsonText } from "../../../document/json-text.js";
import { fetchRevision } from "../../../fleet/revision.js";
import { asCurrentState, tableOfText } from "../../../fleet/table-text.js";
import { compare, isUpToDate } from "../../../plan/compare.js";
import { withStore } from "../open-store.js";
import { fleetName, revisionNumber } from "../table-arguments.js";

/** The exit status if the revisions differ. */
const DIFFERS = 4;

export const run: RunSubcommand = (call) => {
  const { given, output } = call;
  const [name = "", first = "", second = ""] = given.positionals;
  fleetName(name, "table", "diff");
  const [a, b] = [
    revisionNumber(first, "diff"),
    revisionNumber(second, "diff"),
  ];
  return withStore(call, async ({ store, keys }) => {
    const [from, to] = await Promise.all(
      [a, b].map(async (revision) => {
        const { text } = await fetchRevision(store, keys, name, revision);
        return tableOfText(text);
      }),
    );
    if (!from || !to) return EXIT.failed;
    const differences = compare(to, asCurrentState(from), WHOLE_TABLE);
    const equal = isUpToDate(differences);
    if (given.text("output") === "json")
      output.write(
        `${jsonText({
          schema: "ipvsadm/fleet-diff/1",
          table: name,
          from: a,
          to: b,
          equal,
          ...differencesJson(differences),
        })}\n`,
      );
    else if (equal)
      output.lines([`${name}: revisions ${a} and ${b} are equal`]);
    else output.lines(diffLines(differences, output.paint));
    return equal ? EXIT.ok : DIFFERS;
  });
};
