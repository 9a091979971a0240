import { IpvsAccess } from "../../runtime/ipvs-access.js";
import type { IpvsClient } from "../../ipvs/client.js";
import { jsonText } from "../../document/json-text.js";
import { UsageError } from "../../cli/errors.js";
import { EXIT } from "../../cli/exit-status.js";
import type { Invocation, RunSubcommand } from "../../cli/invocation.js";
import type { Arguments } from "../../cli/parser.js";
import { NO_FILTERS } from "../list/filter.js";
import { systemClock, type Clock } from "./clock.js";
import { plainLines, type Frame } from "./frame.js";
import { frameJson } from "./frame-json.js";
import { watchLive } from "./live-screen.js";
import { checkServices } from "../../cli/selectors.js";
import { readTable, type Reading } from "./read-table.js";
import { arrange } from "./rows.js";
import { Sampler } from "./sampler.js";
import { settingsOf, type Settings } from "./settings.js";

export const run: RunSubcommand = (call) => watch(call, systemClock);

/** Runs `watch` with a clock. */
export async function watch(call: Invocation, clock: Clock): Promise<number> {
  const { given, io } = call;
  const settings = await settingsOf(given, io, clock);
  if (given.flag("events")) {
    checkEventOptions(given);
    const { printChanges } = await import("../monitor/print-changes.js");
    return printChanges(call, clock, {
      filters: { ...NO_FILTERS, services: settings.selected },
      intervalSeconds: settings.intervalSeconds,
      count: settings.count,
      names: false,
    });
  }
  using access = new IpvsAccess(io);
  const client = await access.openWithoutLoading();
  if (settings.selected.length > 0)
    checkServices(settings.selected, await client.services());
  const first = await readTable(client, settings.selected, clock);
  const live =
    given.text("output") === "table" &&
    io.terminal.isTerminal("stdin") &&
    io.terminal.isTerminal("stdout") &&
    io.environment("TERM") !== "dumb";
  return live
    ? await watchLive(client, first, settings, call)
    : await writeFrames(client, first, settings, call);
}

/** Options that arrange or select the rows of a frame. */
const FRAME_OPTIONS = ["reverse", "services-only", "filter", "columns"];

/** Refuses options that have no effect with --events. @throws {UsageError} */
function checkEventOptions(given: Arguments): void {
  const useless = FRAME_OPTIONS.find(
    (name) =>
      given.flag(name) ||
      given.text(name) !== undefined ||
      given.list(name).length > 0,
  );
  const name =
    given.text("sort") === "connections" ? useless : (useless ?? "sort");
  if (name !== undefined)
    throw new UsageError(
      `--${name} does not work with --events`,
      "watch",
      "'ipvsadm monitor', which has filters",
    );
}

/** Writes frame after frame. The first one comes after the second reading, because a rate needs two readings. */
async function writeFrames(
  client: IpvsClient,
  first: Reading,
  settings: Settings,
  { given, io, output }: Invocation,
): Promise<number> {
  const { clock, intervalSeconds, count, selected, arrangement } = settings;
  const sampler = new Sampler();
  const never = new AbortController().signal;
  let { at } = first;
  sampler.take(first);
  for (let frames = 0; frames !== count; frames++) {
    await clock.sleep(Math.max(at + intervalSeconds - clock.now(), 0), never);
    const reading = await readTable(client, selected, clock);
    ({ at } = reading);
    const sample = sampler.take(reading);
    const frame: Frame = {
      sample,
      arrangement,
      rows: arrange(sample, arrangement),
      columns: settings.columns,
      intervalSeconds,
      paused: false,
      notice: settings.notice(),
    };
    if (given.text("output") === "ndjson")
      output.write(`${jsonText(frameJson(frame), 0)}\n`);
    else output.lines([...plainLines(frame, output), ""]);
    if (io.flush() !== undefined) return EXIT.failed; // The program prints the reason when it ends.
  }
  return EXIT.ok;
}
