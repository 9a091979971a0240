import { UsageError } from "../../../cli/errors.js";
import type { RunSubcommand } from "../../../cli/invocation.js";
import { readValidRules } from "../../../cli/rule-file.js";
import { checkWhole, WHOLE_TABLE } from "../../../cli/changes/scope.js";
import { refuseConfiguration } from "../../apply/refuse-configuration.js";
import { withStore } from "../open-store.js";
import { fleetName } from "../table-arguments.js";
import { publicationOf, publishAndReport } from "./publish-and-report.js";

export const run: RunSubcommand = async (call) => {
  const { given, io, output } = call;
  const [name = "", path = ""] = given.positionals;
  fleetName(name, "table", "publish");
  const message = given.text("message");
  if (message === undefined)
    throw new UsageError("missing option --message", "fleet publish");
  const file = await readValidRules(path, io, output, refuseConfiguration);
  checkWhole(file, WHOLE_TABLE);
  return withStore(call, (connection) =>
    publishAndReport(call, connection, {
      ...publicationOf(call, name),
      table: file.table,
      message,
      allowEmpty: given.flag("allow-empty"),
    }),
  );
};
