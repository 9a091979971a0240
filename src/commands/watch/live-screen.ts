import type { IpvsClient } from "../../ipvs/client.js";
import type { Io } from "../../runtime/io.js";
import { statusOf, type EndingSignal } from "../../system/signals.js";
import type { TerminalEvent } from "../../system/full-screen.js";
import type { Size } from "../../system/terminal.js";
import type { Output } from "../../cli/output.js";
import { EXIT } from "../../cli/exit-status.js";
import type { Frame } from "./frame.js";
import { KeyDecoder, type Key } from "./key-decoder.js";
import { readTable, type Reading } from "./read-table.js";
import { arrange, type Arrangement, type Row } from "./rows.js";
import { Sampler, type Sample } from "./sampler.js";
import { extentOf, screenLines } from "./screen.js";
import { TerminalSession } from "./terminal-session.js";
import type { Settings } from "./settings.js";
import { filterOf, press, topOf, type ScreenState } from "./screen-state.js";

/** How long the rest of an escape sequence may take. After that, the ESC was the key Escape. */
const ESCAPE_MILLISECONDS = 100;

const DEFAULT_SIZE: Size = { columns: 80, rows: 24 };

/**
 * Shows the table on a full screen until the user quits.
 *
 * @param first the first reading
 * @returns the exit status: 128 plus the number of the signal, if a signal or Ctrl-C ended it
 */
export async function watchLive(
  client: IpvsClient,
  first: Reading,
  settings: Settings,
  { io, output }: { readonly io: Io; readonly output: Output },
): Promise<number> {
  const watcher = new Watcher(client, first, settings, io, output);
  return watcher.run();
}

class Watcher {
  readonly #client: IpvsClient;
  readonly #settings: Settings;
  readonly #io: Io;
  readonly #output: Output;
  readonly #sampler = new Sampler();
  readonly #decoder = new KeyDecoder();
  #sample: Sample;
  #state: ScreenState;
  #rows: readonly Row[] = [];
  /** What the rows were made from */
  #arranged: (Arrangement & { readonly of: Sample }) | undefined;
  #session: TerminalSession | undefined;
  #end: (status: number) => void = () => undefined;
  #fail: (error: unknown) => void = () => undefined;
  #unpause: () => void = () => undefined;
  #escapeTimer: NodeJS.Timeout | undefined;
  readonly #ended = new AbortController();

  constructor(
    client: IpvsClient,
    first: Reading,
    settings: Settings,
    io: Io,
    output: Output,
  ) {
    this.#client = client;
    this.#settings = settings;
    this.#io = io;
    this.#output = output;
    this.#sample = this.#sampler.take(first);
    this.#state = {
      ...settings.arrangement,
      paused: false,
      help: false,
      prompt: undefined,
      top: 0,
    };
  }

  async run(): Promise<number> {
    using session = new TerminalSession(this.#io, (event) => {
      this.#handle(event);
    });
    this.#session = session;
    try {
      return await new Promise<number>((resolve, reject) => {
        this.#end = resolve;
        this.#fail = reject;
        this.#draw();
        this.#read().then(resolve, reject);
      });
    } finally {
      this.#ended.abort();
      clearTimeout(this.#escapeTimer);
    }
  }

  /** Reads the table at every interval. After a reading that takes longer, the next one starts at once. */
  async #read(): Promise<number> {
    const { clock, intervalSeconds, count, selected } = this.#settings;
    const { signal } = this.#ended;
    let next = this.#sample.at + intervalSeconds;
    for (let frames = 0; ;) {
      await clock.sleep(Math.max(next - clock.now(), 0), signal);
      await this.#whilePaused();
      if (signal.aborted) break;
      const reading = await readTable(this.#client, selected, clock);
      next = reading.at + intervalSeconds;
      if (this.#state.paused) continue; // The screen must not change while paused.
      this.#sample = await this.#sampler.takeInChunks(reading);
      this.#draw();
      if (++frames === count) break;
    }
    return EXIT.ok;
  }

  async #whilePaused(): Promise<void> {
    while (this.#state.paused && !this.#ended.signal.aborted)
      await new Promise<void>((resolve) => {
        this.#unpause = resolve;
      });
  }

  #handle(event: TerminalEvent): void {
    switch (event.kind) {
      case "input":
        this.#receive(event.bytes);
        return;
      case "ending":
        this.#endBy(event.signal);
        return;
      case "gone":
        this.#endBy("SIGHUP");
        return;
      case "failed":
        this.#fail(event.error);
        return;
      case "stopping":
        this.#session?.stop();
        break;
      case "continued":
        this.#session?.resume();
        break;
      case "resized":
        break;
    }
    this.#draw();
  }

  #receive(bytes: string): void {
    clearTimeout(this.#escapeTimer);
    for (const key of this.#decoder.feed(bytes)) this.#press(key);
    if (this.#decoder.waits)
      this.#escapeTimer = setTimeout(() => {
        for (const key of this.#decoder.end()) this.#press(key);
        this.#draw();
      }, ESCAPE_MILLISECONDS);
    this.#draw();
  }

  #press(key: Key): void {
    const extent = extentOf(this.#arrangedRows().length, this.#size());
    const { state, action } = press(this.#state, key, extent);
    this.#state = state;
    if (!state.paused) this.#unpause();
    switch (action) {
      case "quit":
        this.#end(EXIT.ok);
        return;
      case "interrupt":
        this.#endBy("SIGINT");
        return;
      case "abort":
        this.#endBy("SIGQUIT");
        return;
      case "stop":
        this.#session?.stop();
        return;
      case "redraw":
        this.#session?.clear();
        return;
      case undefined:
    }
  }

  #endBy(signal: EndingSignal): void {
    this.#end(statusOf(signal));
  }

  #size(): Size {
    return this.#io.terminal.size() ?? DEFAULT_SIZE;
  }

  /** The rows of the table. They are only filtered and sorted again if something changed. */
  #arrangedRows(): readonly Row[] {
    const { sort, reversed, servers } = this.#state;
    const filter = filterOf(this.#state);
    const arranged = { of: this.#sample, sort, reversed, servers, filter };
    const known = this.#arranged;
    const same =
      known?.of === arranged.of &&
      known.sort === sort &&
      known.reversed === reversed &&
      known.servers === servers &&
      known.filter === filter;
    if (!same) {
      this.#rows = arrange(this.#sample, arranged);
      this.#arranged = arranged;
    }
    return this.#rows;
  }

  #draw(): void {
    if (this.#ended.signal.aborted) return;
    const size = this.#size();
    const rows = this.#arrangedRows();
    const frame: Frame = {
      sample: this.#sample,
      arrangement: { ...this.#state, filter: filterOf(this.#state) },
      rows,
      intervalSeconds: this.#settings.intervalSeconds,
      paused: this.#state.paused,
      notice: this.#settings.notice(),
    };
    // Scrolling starts from the rows in view.
    const top = topOf(this.#state, extentOf(rows.length, size));
    this.#state = { ...this.#state, top };
    const lines = screenLines(frame, this.#state, size, this.#output.paint);
    if (this.#session?.draw(lines, size.columns) === false)
      this.#endBy("SIGHUP");
  }
}
