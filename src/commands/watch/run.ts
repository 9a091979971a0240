import { IpvsAccess } from "../../runtime/ipvs-access.js";
import type { IpvsClient } from "../../ipvs/client.js";
import { jsonText } from "../../document/json-text.js";
import { EXIT } from "../../cli/exit-status.js";
import type { Invocation, RunSubcommand } from "../../cli/invocation.js";
import { systemClock, type Clock } from "./clock.js";
import { plainLines, type Frame } from "./frame.js";
import { frameJson } from "./frame-json.js";
import { watchLive } from "./live-screen.js";
import { checkWanted, readTable, type Reading } from "./read-table.js";
import { arrange } from "./rows.js";
import { Sampler } from "./sampler.js";
import { settingsOf, type Settings } from "./settings.js";

export const run: RunSubcommand = (call) => watch(call, systemClock);

/** Watches by a clock. */
export async function watch(call: Invocation, clock: Clock): Promise<number> {
  const { given, io } = call;
  const settings = await settingsOf(given, io, clock);
  using access = new IpvsAccess(io);
  const client = await access.open();
  const first = await readTable(client, settings.wanted, clock);
  checkWanted(first, settings.wanted);
  const live =
    given.text("output") === "table" &&
    io.terminal.isTerminal("stdin") &&
    io.terminal.isTerminal("stdout") &&
    io.environment("TERM") !== "dumb";
  return live
    ? await watchLive(client, first, settings, call)
    : await writeFrames(client, first, settings, call);
}

/** Writes frame after frame; the first when there are two readings, for a rate takes two. */
async function writeFrames(
  client: IpvsClient,
  first: Reading,
  settings: Settings,
  { given, io, output }: Invocation,
): Promise<number> {
  const { clock, interval, count, wanted, arrangement } = settings;
  const sampler = new Sampler();
  const never = new AbortController().signal;
  let { at } = first;
  sampler.take(first);
  for (let frames = 0; frames !== count; frames++) {
    await clock.sleep(Math.max(at + interval - clock.now(), 0), never);
    const reading = await readTable(client, wanted, clock);
    ({ at } = reading);
    const sample = sampler.take(reading);
    const frame: Frame = {
      sample,
      arrangement,
      rows: arrange(sample, arrangement),
      intervalSeconds: interval,
      paused: false,
      notice: settings.notice(),
    };
    if (given.text("output") === "ndjson")
      output.write(`${jsonText(frameJson(frame), 0)}\n`);
    else output.lines([...plainLines(frame, output), ""]);
    if (io.flush() !== undefined) return EXIT.failed; // why, is told at the end
  }
  return EXIT.ok;
}
