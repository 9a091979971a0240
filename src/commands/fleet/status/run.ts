import { UsageError } from "../../../cli/errors.js";
import { escapeControls } from "../../../cli/escape.js";
import { EXIT } from "../../../cli/exit-status.js";
import type { Invocation, RunSubcommand } from "../../../cli/invocation.js";
import { jsonText } from "../../../document/json-text.js";
import {
  readFleet,
  type DirectorReport,
  type FleetReport,
} from "../../../fleet/fleet-report.js";
import { withStore, type FleetConnection } from "../open-store.js";
import { statusJson } from "./status-json.js";
import { changeLine, statusLines } from "./status-text.js";

/** The exit status if a director is not as wanted, but works. */
const DIFFERS = 4;
const POLL_MILLISECONDS = 1000;

export const run: RunSubcommand = (call) => {
  const { given, output } = call;
  const labels = given.list("label");
  for (const label of labels)
    if (!label.includes("="))
      throw new UsageError(
        `--label ${escapeControls(label)}: expected KEY=VALUE`,
        "fleet status",
      );
  return withStore(call, async (connection) => {
    if (given.flag("watch")) return watchFleet(call, connection);
    const report = await readSelected(call, connection);
    if (given.text("output") === "json")
      output.write(`${jsonText(statusJson(report))}\n`);
    else
      output.lines(
        statusLines(report, {
          paint: output.paint,
          width: given.flag("wide") ? undefined : output.width,
        }),
      );
    return statusOf(report);
  });
};

/** Reads the directors that the options select. */
async function readSelected(
  { given }: Invocation,
  { store, keys }: FleetConnection,
): Promise<FleetReport> {
  const tables = given.list("table");
  const labels = given.list("label");
  const report = await readFleet(store, keys);
  const fits = ({ state }: DirectorReport) =>
    (tables.length === 0 ||
      (state !== undefined && tables.includes(state.table))) &&
    (labels.length === 0 || labels.some((label) => hasLabel(state, label)));
  return { ...report, directors: report.directors.filter(fits) };
}

function hasLabel(state: DirectorReport["state"], label: string): boolean {
  const at = label.indexOf("=");
  return state?.labels[label.slice(0, at)] === label.slice(at + 1);
}

function statusOf({ directors }: FleetReport): number {
  if (directors.length === 0) return EXIT.failed;
  const verdicts = new Set(directors.map(({ verdict }) => verdict));
  if (verdicts.has("silent") || verdicts.has("failed")) return EXIT.failed;
  verdicts.delete("ok");
  return verdicts.size === 0 ? EXIT.ok : DIFFERS;
}

/** Prints changes until a signal arrives. @returns the exit status of the last report */
async function watchFleet(
  call: Invocation,
  connection: FleetConnection,
): Promise<number> {
  const { given, io, output } = call;
  const ended = new AbortController();
  const release = io.catchSignals(() => {
    ended.abort();
  });
  const shown = new Map<string, string>();
  let status: number = EXIT.ok;
  try {
    while (!ended.signal.aborted) {
      const report = await readSelected(call, connection);
      status = statusOf(report);
      if (given.text("output") === "json") {
        const { directors } = statusJson(report) as { directors: object };
        const text = JSON.stringify(directors);
        if (shown.get("") !== text)
          output.write(`${jsonText(statusJson(report), 0)}\n`);
        shown.set("", text);
      } else
        for (const director of report.directors) {
          const line = changeLine(director, output.paint);
          if (shown.get(director.name) !== line)
            output.lines([`${new Date().toISOString().slice(11, 19)} ${line}`]);
          shown.set(director.name, line);
        }
      io.flush();
      await io.clock.sleep(POLL_MILLISECONDS, ended.signal);
    }
  } finally {
    release();
  }
  return status;
}
