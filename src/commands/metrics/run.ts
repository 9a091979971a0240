import { IpvsAccess } from "../../runtime/ipvs-access.js";
import type { Io } from "../../runtime/io.js";
import { writeAtomically } from "../../system/atomic-file.js";
import { explain, UsageError } from "../../cli/errors.js";
import { EXIT } from "../../cli/exit-status.js";
import type { Invocation, RunSubcommand } from "../../cli/invocation.js";
import { DOWN, familiesOf } from "./metric-families.js";
import { parseListenAddress, listenAddressText } from "./listen-address.js";
import { readSelection, type Selection } from "./selection.js";
import type { Series } from "./series.js";
import { Body, startServer, type Answer } from "./http-server.js";
import { SharedAnswer } from "./shared-answer.js";
import { readSnapshot, type Snapshot } from "./snapshot.js";
import { CONTENT_TYPE, metricsText } from "./prometheus-text.js";

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
  const { given } = call;
  const file = given.text("output");
  const listen = given.text("listen");
  if (file !== undefined && listen !== undefined)
    throw new UsageError("--output and --listen exclude each other", "metrics");
  const reader = new MetricsReader(
    call.io,
    given.text("series") as Series, // The parser has checked it.
    await readSelection(given, call.io.names),
  );
  try {
    if (listen !== undefined) return await serve(listen, reader, call);
    if (file !== undefined) return await write(file, reader, call);
    call.output.write(await reader.text());
    return EXIT.ok;
  } finally {
    reader.close();
  }
};

/** Reads the metrics through one IPVS client. After an error it opens a new client, because the module may have been reloaded. */
class MetricsReader {
  readonly #io: Io;
  readonly #series: Series;
  readonly #selection: Selection;
  #access: IpvsAccess | undefined;

  constructor(io: Io, series: Series, selection: Selection) {
    this.#io = io;
    this.#series = series;
    this.#selection = selection;
  }

  async text(): Promise<string> {
    this.#access ??= new IpvsAccess(this.#io);
    try {
      // Reading metrics must not load the module.
      const client = await this.#access.openWithoutLoading();
      const snapshot = await readSnapshot(client, this.#io, this.#selection);
      return await metricsText(familiesOf(this.#series), snapshot);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  close(): void {
    this.#access?.close();
    this.#access = undefined;
  }
}

/** Writes the file. If the table cannot be read, the file says so: old values would look current. */
async function write(
  file: string,
  reader: MetricsReader,
  { output }: Invocation,
): Promise<number> {
  let text: string;
  let status: number = EXIT.ok;
  try {
    text = await reader.text();
  } catch (error) {
    status = output.explain(error);
    text = await metricsText(DOWN, NOTHING);
  }
  writeAtomically(file, text);
  return status;
}

/** Serves HTTP until a signal arrives. */
async function serve(
  listen: string,
  reader: MetricsReader,
  { io, output }: Invocation,
): Promise<number> {
  const shared = new SharedAnswer(
    async () => new Body(await reader.text()),
    FRESH_MILLISECONDS,
    io.clock,
  );
  let release: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    release = io.catchSignals(() => {
      resolve();
    });
  });
  try {
    const server = await startServer(parseListenAddress(listen), () =>
      answerFrom(shared),
    );
    output.write(
      `listening on http://${listenAddressText(server.address)}/metrics\n`,
    );
    io.flush();
    await Promise.race([ended, server.failed]);
    await server.close();
    return EXIT.ok;
  } finally {
    release();
  }
}

async function answerFrom(shared: SharedAnswer<Body>): Promise<Answer> {
  try {
    return {
      status: 200,
      contentType: CONTENT_TYPE,
      body: await shared.get(),
    };
  } catch (error) {
    const { fault, advice } = explain(error) ?? {
      fault: String(error),
      advice: undefined,
    };
    const line = advice === undefined ? fault : `${fault}: ${advice}`;
    return {
      status: 503,
      contentType: "text/plain; charset=utf-8",
      body: new Body(`${line}\n`),
    };
  }
}
