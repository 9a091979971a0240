import type { RunSubcommand } from "../../../cli/invocation.js";
import { fetchRevision } from "../../../fleet/revision.js";
import { tableOfText } from "../../../fleet/table-text.js";
import { withStore } from "../open-store.js";
import {
  publicationOf,
  publishAndReport,
} from "../publish/publish-and-report.js";
import { fleetName, revisionNumber } from "../table-arguments.js";

export const run: RunSubcommand = (call) => {
  const { given } = call;
  const [name = "", text = ""] = given.positionals;
  fleetName(name, "table", "rollback");
  const number = revisionNumber(text, "rollback");
  return withStore(call, async (connection) => {
    const { store, keys } = connection;
    const { revision, text } = await fetchRevision(store, keys, name, number);
    return publishAndReport(call, connection, {
      ...publicationOf(call, name),
      table: tableOfText(text),
      message: given.text("message") ?? `roll back to ${number}`,
      allowEmpty: revision.allowEmpty,
      copyOf: number,
    });
  });
};
