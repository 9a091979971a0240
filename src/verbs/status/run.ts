import { explain } from "../faults.js";
import { jsonText } from "../../document/json-text.js";
import { EXIT, type VerbRun } from "../row.js";
import { readReport } from "./report.js";
import { statusJson, statusLines } from "./view.js";

export const run: VerbRun = async ({ given, io, output }) => {
  const report = await readReport(io);
  if (given.text("output") === "json")
    output.write(`${jsonText(statusJson(report))}\n`);
  else output.lines(statusLines(report, output));
  if (!(report.ipvs instanceof Error)) return EXIT.fine;
  const { fault, advice, status } = explain(report.ipvs) ?? {
    fault: report.ipvs.message,
    advice: undefined,
    status: EXIT.wrong,
  };
  output.complain(fault, advice);
  return status;
};
