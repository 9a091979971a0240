import { EXIT } from "../../../cli/exit-status.js";
import type { RunSubcommand } from "../../../cli/invocation.js";
import { escapeControls, fromBytes } from "../../../cli/escape.js";
import { jsonText } from "../../../document/json-text.js";
import { tableMembers } from "../../../document/write-table.js";
import { yamlText } from "../../../document/yaml-text.js";
import { fetchHead, fetchRevision } from "../../../fleet/revision.js";
import { tableOfText } from "../../../fleet/table-text.js";
import { tableAsRules } from "../../save/table-as-rules.js";
import { withStore } from "../open-store.js";
import { fleetName, revisionNumber } from "../table-arguments.js";

export const run: RunSubcommand = (call) => {
  const { given, output } = call;
  const [name = "", revision] = given.positionals;
  fleetName(name, "table", "show");
  const number =
    revision === undefined ? undefined : revisionNumber(revision, "show");
  return withStore(call, async ({ store, keys }) => {
    const wanted = number ?? (await fetchHead(store, keys, name)).newest;
    const { text } = await fetchRevision(store, keys, name, wanted);
    const table = tableOfText(text);
    switch (given.text("output")) {
      case "json":
        output.write(`${jsonText(tableMembers(table))}\n`);
        break;
      case "yaml":
        output.write(yamlText(tableMembers(table)));
        break;
      default:
        for (const rule of tableAsRules(table))
          output.lines([escapeControls(fromBytes(rule.text.trimEnd()))]);
    }
    return EXIT.ok;
  });
};
