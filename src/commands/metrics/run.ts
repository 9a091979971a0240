import { Body, lineAnswer } from "../../http/body.js";
import { readServerSettings } from "../../http/access-options.js";
import { serveUntilSignal } from "../../http/run-server.js";
import { SharedAnswer } from "../../http/shared-answer.js";
import { writeAtomically } from "../../system/atomic-file.js";
import { UsageError } from "../../cli/errors.js";
import { EXIT } from "../../cli/exit-status.js";
import type { Invocation, RunSubcommand } from "../../cli/invocation.js";
import { DOWN, familiesOf } from "./metric-families.js";
import { METRICS_PATH, metricsAnswer } from "./metrics-page.js";
import { readSelection } from "./selection.js";
import type { Series } from "./series.js";
import type { Snapshot } from "./snapshot.js";
import { SnapshotReader } from "./snapshot-reader.js";
import { metricsText } from "./prometheus-text.js";

/** How long an answer is reused. The kernel updates its counters every 2 seconds. */
const FRESH_MILLISECONDS = 1000;

const NOTHING: Snapshot = {
  services: [],
  totals: undefined,
  connections: {
    entries: undefined,
    mostEntries: undefined,
    buckets: undefined,
    tracked: undefined,
    mostTracked: undefined,
  },
  seconds: 0,
};

export const run: RunSubcommand = async (call) => {
  const { given, io } = call;
  const file = given.text("output");
  const listen = given.text("listen");
  if (file !== undefined && listen !== undefined)
    throw new UsageError("--output and --listen exclude each other", "metrics");
  refuseUnused(call, listen);
  const families = familiesOf(given.text("series") as Series); // The parser has checked it.
  const reader = new SnapshotReader(io, await readSelection(given, io.names));
  const read = async () => metricsText(families, await reader.read());
  try {
    if (listen !== undefined) return await serve(listen, read, call);
    if (file !== undefined) return await write(file, read, call);
    call.output.write(await read());
    return EXIT.ok;
  } finally {
    reader.close();
  }
};

/** Options of the server do nothing without `--listen`. */
function refuseUnused({ given }: Invocation, listen: string | undefined): void {
  if (listen !== undefined) return;
  const unused =
    ["token-file", "cert", "key"].find(
      (name) => given.text(name) !== undefined,
    ) ?? (given.list("host-name").length > 0 ? "host-name" : undefined);
  if (unused !== undefined)
    throw new UsageError(`--${unused} goes with --listen`, "metrics");
}

/** Writes the file. If the table cannot be read, the file says so: old values would look current. */
async function write(
  file: string,
  read: () => Promise<string>,
  { output }: Invocation,
): Promise<number> {
  let text: string;
  let status: number = EXIT.ok;
  try {
    text = await read();
  } catch (error) {
    status = output.explain(error);
    text = await metricsText(DOWN, NOTHING);
  }
  writeAtomically(file, text);
  return status;
}

/** Serves HTTP until a signal arrives. */
function serve(
  listen: string,
  read: () => Promise<string>,
  call: Invocation,
): Promise<number> {
  const shared = new SharedAnswer(
    async () => new Body(await read()),
    FRESH_MILLISECONDS,
    call.io.clock,
  );
  const answer = () => metricsAnswer(() => shared.get());
  const hint = `the metrics are at ${METRICS_PATH}`;
  const site = {
    pages: {
      "/": () => lineAnswer(200, `ipvsadm: ${hint}`),
      [METRICS_PATH]: answer,
    },
    hint,
  };
  const settings = readServerSettings(call.given, listen, "metrics");
  return serveUntilSignal(settings, site, call, METRICS_PATH);
}
