import { escapeControls } from "../../../cli/escape.js";
import { EXIT } from "../../../cli/exit-status.js";
import type { Invocation, RunSubcommand } from "../../../cli/invocation.js";
import { shortDuration } from "../../../cli/units.js";
import { jsonText } from "../../../document/json-text.js";
import { drainRecord } from "../../../fleet/drain.js";
import { recordBytes } from "../../../fleet/record.js";
import { repeatWrite } from "../../../fleet/repeat-write.js";
import { statusOf, type EndingSignal } from "../../../system/signals.js";
import { authorOf } from "../author.js";
import { withStore, type FleetConnection } from "../open-store.js";
import { drainProgress, type DrainProgress } from "./drain-progress.js";
import { readDrainArguments } from "./server-arguments.js";

const POLL_MILLISECONDS = 1000;

/** How a drain ended. */
interface DrainEnd {
  readonly state:
    | "draining"
    | "empty"
    /** No director has such a server */
    | "absent"
    /** No director reports */
    | "unreported"
    | "timeout"
    | "interrupted";
  readonly progress: DrainProgress;
  readonly seconds: number;
  readonly signal?: EndingSignal | undefined;
}

export const run: RunSubcommand = async (call) => {
  const { given, io, output } = call;
  const drain = await readDrainArguments(call, "drain");
  const author = authorOf(call);
  const record = drainRecord({
    ...drain,
    author,
    at: new Date().toISOString(),
  });
  return withStore(call, async (connection) => {
    const { store, keys } = connection;
    // With the condition, a write that is carried out late cannot begin a drain again that has ended meanwhile.
    const key = keys.drain(drain.id);
    const { found } = await store.get(key);
    await repeatWrite(() =>
      store.commit(
        [{ key, revision: found?.revision ?? 0n }],
        [{ put: key, value: recordBytes(record) }],
      ),
    );
    const text = given.text("output") !== "json";
    const timeoutSeconds = given.duration("timeout");
    const waits = given.flag("wait") || timeoutSeconds !== undefined;
    if (text) {
      output.lines([`${drain.id}: draining`]);
      io.flush();
    }
    const end = waits
      ? await waitUntilEmpty(call, connection, drain.id, timeoutSeconds)
      : await immediately(connection, drain.id);
    if (!text) output.write(`${jsonText(endJson(drain.id, end))}\n`);
    return report(call, drain.id, end, text && waits);
  });
};

async function immediately(
  connection: FleetConnection,
  id: string,
): Promise<DrainEnd> {
  const progress = await drainProgress(connection, id);
  return { state: "draining", progress, seconds: 0 };
}

async function waitUntilEmpty(
  { io, progress: line }: Invocation,
  connection: FleetConnection,
  id: string,
  timeoutSeconds = Infinity,
): Promise<DrainEnd> {
  const ended = new AbortController();
  let signal: EndingSignal | undefined;
  const release = io.catchSignals((caught) => {
    signal ??= caught;
    ended.abort();
  });
  const start = io.clock.now();
  const elapsed = () => (io.clock.now() - start) / 1000;
  let progress: DrainProgress | undefined;
  line.begin(() => progress && progressText(progress));
  try {
    for (;;) {
      progress = await drainProgress(connection, id);
      line.step();
      const seconds = elapsed();
      if (progress.pending.length === 0)
        return { state: stateOf(progress), progress, seconds };
      if (ended.signal.aborted)
        return { state: "interrupted", progress, seconds, signal };
      if (seconds >= timeoutSeconds)
        return { state: "timeout", progress, seconds };
      await io.clock.sleep(POLL_MILLISECONDS, ended.signal);
    }
  } finally {
    line.end();
    release();
  }
}

/** The state when no director has anything left to do. */
function stateOf({ live, empty }: DrainProgress): DrainEnd["state"] {
  if (live === 0) return "unreported";
  return empty.length === 0 ? "absent" : "empty";
}

function progressText({ pending, live }: DrainProgress): string {
  return `draining: ${live - pending.length} of ${live} directors are done`;
}

/** @returns the exit status */
function report(
  { given, output }: Invocation,
  id: string,
  { state, progress, seconds, signal }: DrainEnd,
  text: boolean,
): number {
  const { pending, silent, empty } = progress;
  const after = `after ${shortDuration(seconds)}`;
  const undo = "'ipvsadm fleet undrain' with the same arguments ends the drain";
  const missing = silent.length > 0 && !given.flag("allow-missing");
  if (state === "interrupted") {
    output.complain(`interrupted; not empty on ${names(pending)}`, undo);
    return signal ? statusOf(signal) : EXIT.failed;
  }
  if (state === "timeout") {
    output.complain(`${id} is not empty ${after} on ${names(pending)}`, undo);
    return EXIT.failed;
  }
  if (state === "absent") {
    output.complain(`no director has ${id} in its table`, undo);
    return EXIT.failed;
  }
  if (state === "unreported") {
    output.complain(
      "no director reports, so nobody knows whether it is empty",
      "'ipvsadm fleet status' lists the directors",
    );
    return EXIT.failed;
  }
  if (text)
    output.lines([
      `${id}: empty ${after} on ${empty.length === 1 ? "1 director" : `${empty.length} directors`}`,
    ]);
  if (silent.length === 0) return EXIT.ok;
  const fault = `silent directors may still send connections to it: ${names(silent)}`;
  if (!missing) output.warn(fault);
  else output.complain(fault, "--allow-missing accepts that");
  return missing && state === "empty" ? EXIT.failed : EXIT.ok;
}

function names(all: readonly string[]): string {
  return escapeControls(all.join(", "));
}

function endJson(id: string, { state, progress, seconds }: DrainEnd) {
  return {
    schema: "ipvsadm/fleet-drain/1",
    id,
    state,
    directors: progress.directors.map((one) => ({ ...one })),
    waitedSeconds: Math.round(seconds * 10) / 10,
  };
}
