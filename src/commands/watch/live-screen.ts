import type { IpvsClient } from "../../ipvs/client.js";
import type { Io } from "../../runtime/io.js";
import { statusOf, type EndingSignal } from "../../system/signals.js";
import type { TerminalEvent } from "../../system/full-screen.js";
import type { Size } from "../../system/terminal.js";
import type { Output } from "../../cli/output.js";
import { EXIT } from "../../cli/exit-status.js";
import { ArrangedRows } from "./arranged-rows.js";
import type { Frame } from "./frame.js";
import type { Key } from "./key-decoder.js";
import { KeyReader } from "./key-reader.js";
import { OpenedRow } from "./opened-row.js";
import { press } from "./press.js";
import { readTable, type Reading } from "./read-table.js";
import { findRow, indexOfRow, nameOfRow, type RowName } from "./row-name.js";
import type { Row } from "./rows.js";
import { Sampler, type Sample } from "./sampler.js";
import { detailsExtent, extentOf, screenLines } from "./screen.js";
import type { Extras } from "./screen-footer.js";
import { ServerChanges, type Asked } from "./server-changes.js";
import { TerminalSession } from "./terminal-session.js";
import type { Settings } from "./settings.js";
import {
  filterOf,
  startState,
  type Action,
  type ScreenState,
} from "./screen-state.js";
import { showing, topOf } from "./scrolling.js";

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
  try {
    return await watcher.run();
  } finally {
    // The terminal is restored now. What the user changed stays visible.
    output.report(await watcher.finish());
  }
}

class Watcher {
  readonly #client: IpvsClient;
  readonly #settings: Settings;
  readonly #io: Io;
  readonly #output: Output;
  readonly #sampler = new Sampler();
  readonly #keys = new KeyReader(
    (key) => {
      this.#press(key);
    },
    () => {
      this.#draw();
    },
  );
  #sample: Sample;
  #state: ScreenState;
  readonly #rows = new ArrangedRows();
  #session: TerminalSession | undefined;
  #end: (status: number) => void = () => undefined;
  #fail: (error: unknown) => void = () => undefined;
  #unpause: () => void = () => undefined;
  readonly #ended = new AbortController();
  readonly #changes: ServerChanges;
  /** The selected row, which keeps selected when it moves */
  #selected: RowName | undefined;
  #opened: OpenedRow | undefined;

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
    this.#state = startState(settings.arrangement, settings.columns);
    this.#changes = new ServerChanges(io, settings.clock, () => {
      this.#draw();
    });
  }

  /**
   * Waits for a command that still runs, because it holds the lock of the table.
   *
   * @returns what the user changed: commands and results
   */
  async finish(): Promise<readonly string[]> {
    await this.#changes.finish();
    return this.#changes.log.record;
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
      this.#keys.stop();
      this.#close();
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
      this.#followSelected();
      this.#opened?.readConnections(this.#sample);
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
        this.#keys.feed(event.bytes);
        break;
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

  #press(key: Key): void {
    const size = this.#size();
    const extras = this.#extras();
    const rows = this.#arrangedRows();
    const { state, action, text } = press(
      this.#state,
      key,
      extentOf(rows.length, size, extras),
      detailsExtent(size, extras),
    );
    this.#state = state;
    this.#changes.log.dropMessage();
    const { cursor, paused, view } = state;
    const selected = cursor === undefined ? undefined : rows[cursor];
    this.#selected = selected && nameOfRow(selected);
    if (view !== "details") this.#close();
    if (!paused) this.#unpause();
    if (action) this.#act(action, text ?? "");
  }

  #act(action: Action, text: string): void {
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
      case "open":
        this.#open();
        return;
      case "drain":
      case "undrain":
      case "weight":
        this.#expect(this.#changes.ask(action, this.#subject()));
        return;
      case "set weight":
        this.#expect(this.#changes.setWeight(text));
        return;
      case "confirm":
        this.#changes.confirm().catch((error: unknown) => {
          this.#fail(error);
        });
        return;
      case "cancel":
        this.#changes.cancel();
    }
  }

  /** Shows what has to happen before a change. */
  #expect(asked: Asked): void {
    if (asked === "confirmation")
      this.#state = { ...this.#state, asking: true };
    if (asked === "weight")
      this.#state = { ...this.#state, prompt: { kind: "weight", text: "" } };
  }

  /** The row that a change is about: the open one, or the selected one. */
  #subject(): Row | undefined {
    const name = this.#opened?.name ?? this.#selected;
    return name && findRow(this.#sample, name);
  }

  #open(): void {
    if (!this.#selected) return;
    this.#close();
    this.#opened = new OpenedRow(
      this.#selected,
      this.#io,
      this.#settings.clock,
      {
        onRead: () => {
          this.#draw();
        },
        onError: (error) => {
          this.#fail(error);
        },
      },
    );
    this.#state = { ...this.#state, view: "details", detailsTop: 0 };
    this.#opened.readConnections(this.#sample);
  }

  #close(): void {
    this.#opened?.close();
    this.#opened = undefined;
  }

  /** Keeps the same row selected after the rows have moved. */
  #followSelected(): void {
    if (!this.#selected) return;
    const rows = this.#arrangedRows();
    const last = rows.length - 1;
    const cursor =
      indexOfRow(rows, this.#selected) ??
      Math.min(this.#state.cursor ?? 0, last);
    const row = rows[cursor];
    this.#selected = row && nameOfRow(row);
    const extent = extentOf(rows.length, this.#size(), this.#extras());
    this.#state = {
      ...this.#state,
      cursor: row ? cursor : undefined,
      top: showing(Math.max(cursor, 0), this.#state.top, extent),
    };
  }

  #endBy(signal: EndingSignal): void {
    this.#end(statusOf(signal));
  }

  #size(): Size {
    return this.#io.terminal.size() ?? DEFAULT_SIZE;
  }

  #arrangedRows(): readonly Row[] {
    const filter = filterOf(this.#state);
    return this.#rows.of(this.#sample, { ...this.#state, filter });
  }

  /** What the screen shows besides the table. */
  #extras(): Extras {
    const { paint } = this.#output;
    const display = { paint, width: this.#size().columns };
    return {
      log: this.#changes.log.shown,
      question: this.#changes.question,
      subject: this.#changes.subject,
      details: this.#opened?.lines(this.#sample, display) ?? [],
    };
  }

  #draw(): void {
    if (this.#ended.signal.aborted) return;
    const size = this.#size();
    const rows = this.#arrangedRows();
    const extras = this.#extras();
    const frame: Frame = {
      sample: this.#sample,
      arrangement: { ...this.#state, filter: filterOf(this.#state) },
      rows,
      columns: this.#state.columns,
      intervalSeconds: this.#settings.intervalSeconds,
      paused: this.#state.paused,
      notice: this.#settings.notice(),
    };
    // Scrolling starts from the rows in view.
    const extent = extentOf(rows.length, size, extras);
    const { cursor } = this.#state;
    const top =
      cursor === undefined
        ? topOf(this.#state, extent)
        : showing(cursor, this.#state.top, extent);
    this.#state = { ...this.#state, top };
    const { paint } = this.#output;
    const lines = screenLines(frame, this.#state, size, paint, extras);
    if (this.#session?.draw(lines, size.columns) === false)
      this.#endBy("SIGHUP");
  }
}
