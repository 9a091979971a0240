import { escapeControls } from "../../../cli/escape.js";
import { EXIT } from "../../../cli/exit-status.js";
import type { RunSubcommand } from "../../../cli/invocation.js";
import { drawTable } from "../../../cli/table.js";
import { jsonText } from "../../../document/json-text.js";
import { fetchHead, fetchHistory } from "../../../fleet/revision.js";
import { withStore } from "../open-store.js";
import { revisionJson } from "../revision-json.js";
import { fleetName } from "../table-arguments.js";

export const run: RunSubcommand = (call) => {
  const { given, output } = call;
  const [table = ""] = given.positionals;
  fleetName(table, "table", "history");
  return withStore(call, async ({ store, keys }) => {
    const head = await fetchHead(store, keys, table);
    const revisions = (await fetchHistory(store, keys, table)).toReversed();
    if (given.text("output") === "json") {
      const { newest, released } = head;
      output.write(
        `${jsonText({
          schema: "ipvsadm/fleet-history/1",
          table,
          newest,
          released,
          revisions: revisions.map(revisionJson),
        })}\n`,
      );
      return EXIT.ok;
    }
    const rows = revisions.map((one) => [
      `${one.revision}${one.revision === head.released ? "*" : ""}`,
      escapeControls(one.at.slice(0, 16).replace("T", " ")),
      escapeControls(one.author),
      String(one.services),
      String(one.servers),
      escapeControls(one.sha256.slice(0, 12)),
      escapeControls(one.message),
    ]);
    const columns = [
      { title: "Revision", align: "right" as const },
      { title: "Published (UTC)", drop: 2 },
      { title: "Author", shortest: 8 },
      { title: "Services", align: "right" as const, drop: 4 },
      { title: "Servers", align: "right" as const, drop: 3 },
      { title: "SHA-256", drop: 5 },
      { title: "Message", shortest: 10 },
    ];
    output.lines(drawTable(columns, rows, output));
    return EXIT.ok;
  });
};
