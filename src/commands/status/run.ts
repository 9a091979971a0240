import { explain } from "../../cli/errors.js";
import { jsonText } from "../../document/json-text.js";
import { EXIT } from "../../cli/exit-status.js";
import type { RunSubcommand } from "../../cli/invocation.js";
import { readReport } from "./read-status.js";
import { statusJson, statusLines } from "./status-view.js";

export const run: RunSubcommand = async ({ given, io, output }) => {
  const report = await readReport(io);
  if (given.text("output") === "json")
    output.write(`${jsonText(statusJson(report))}\n`);
  else output.lines(statusLines(report, output));
  if (!(report.ipvs instanceof Error)) return EXIT.ok;
  const { fault, advice, status } = explain(report.ipvs) ?? {
    fault: report.ipvs.message,
    advice: undefined,
    status: EXIT.failed,
  };
  output.complain(fault, advice);
  return status;
};
