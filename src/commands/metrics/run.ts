import { IpvsAccess } from "../../runtime/ipvs-access.js";
import type { Io } from "../../runtime/io.js";
import { writeAtomically } from "../../system/atomic-file.js";
import { explain, UsageError } from "../../cli/errors.js";
import { EXIT } from "../../cli/exit-status.js";
import type { Invocation, RunSubcommand } from "../../cli/invocation.js";
import { DOWN, familiesOf } from "./families.js";
import { parsePlace, placeText } from "./listen-address.js";
import type { Series } from "./series.js";
import { Body, startServer, type Answer } from "./http-server.js";
import { Shared } from "./shared-reading.js";
import { readSnapshot, type Snapshot } from "./snapshot.js";
import { CONTENT_TYPE, metricsText } from "./exposition.js";

/** For so long an answer is as good as new: the kernel brings its counters up to date every 2 seconds. */
const FRESH_MILLISECONDS = 1000;

const NOTHING: Snapshot = { services: [], totals: undefined, seconds: 0 };

export const run: RunSubcommand = async (call) => {
  const { given } = call;
  const file = given.text("output");
  const listen = given.text("listen");
  if (file !== undefined && listen !== undefined)
    throw new UsageError("--output and --listen exclude each other", "metrics");
  const source = new Source(call.io, given.text("series") as Series); // of the choices
  try {
    if (listen !== undefined) return await serve(listen, source, call);
    if (file !== undefined) return await write(file, source, call);
    call.output.write(await source.text());
    return EXIT.ok;
  } finally {
    source.close();
  }
};

/** Makes the text, over one way to IPVS; after a fault, over a new one: the module may have been loaded anew. */
class Source {
  readonly #io: Io;
  readonly #series: Series;
  #access: IpvsAccess | undefined;

  constructor(io: Io, series: Series) {
    this.#io = io;
    this.#series = series;
  }

  async text(): Promise<string> {
    this.#access ??= new IpvsAccess(this.#io);
    try {
      // Whoever only looks loads no module.
      const client = await this.#access.openWithoutLoading();
      const snapshot = await readSnapshot(client, this.#io);
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

/** Writes the file. Where the table cannot be read, that is what it says: old values would look like new ones. */
async function write(
  file: string,
  source: Source,
  { output }: Invocation,
): Promise<number> {
  let text: string;
  let status: number = EXIT.ok;
  try {
    text = await source.text();
  } catch (error) {
    status = output.explain(error);
    text = await metricsText(DOWN, NOTHING);
  }
  writeAtomically(file, text);
  return status;
}

/** Answers until a signal ends it. */
async function serve(
  listen: string,
  source: Source,
  { io, output }: Invocation,
): Promise<number> {
  const shared = new Shared(
    async () => new Body(await source.text()),
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
    const server = await startServer(parsePlace(listen), () =>
      answerFrom(shared),
    );
    output.write(`listening at http://${placeText(server.place)}/metrics\n`);
    io.flush();
    await Promise.race([ended, server.failed]);
    await server.close();
    return EXIT.ok;
  } finally {
    release();
  }
}

async function answerFrom(shared: Shared<Body>): Promise<Answer> {
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
