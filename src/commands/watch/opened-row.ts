import type { Io } from "../../runtime/io.js";
import type { Display } from "../../cli/output.js";
import type { Clock } from "./clock.js";
import type { KnownConnections } from "./connection-lines.js";
import { readConnectionSummary } from "./connection-summary.js";
import { detailLines } from "./details.js";
import { findRow, type RowName } from "./row-name.js";
import type { Row } from "./rows.js";
import type { Sample } from "./sampler.js";

/** Reading the connections may take this part of the time: a table with millions of them takes seconds. */
const READING_SHARE = 0.1;

/** What happened while connections were read. */
export interface ReadingEvents {
  readonly onRead: () => void;
  readonly onError: (error: unknown) => void;
}

/** A service or server that is open, with its connections. */
export class OpenedRow {
  readonly name: RowName;
  readonly #io: Io;
  readonly #clock: Pick<Clock, "now">;
  readonly #events: ReadingEvents;
  #connections: KnownConnections;
  #isReading = false;
  #isOpen = true;
  /** When the connections may be read again, in seconds of the clock */
  #due = 0;

  constructor(
    name: RowName,
    io: Io,
    clock: Pick<Clock, "now">,
    events: ReadingEvents,
  ) {
    this.name = name;
    this.#io = io;
    this.#clock = clock;
    this.#events = events;
  }

  rowIn(sample: Sample): Row | undefined {
    return findRow(sample, this.name);
  }

  /** Everything about the row. */
  lines(sample: Sample, display: Display): string[] {
    const row = this.rowIn(sample);
    return row
      ? detailLines(row, sample.at, this.#connections, display)
      : [`${this.name.server ?? this.name.service}: not in the table any more`];
  }

  /** Reads the connections, if it is time. */
  readConnections(sample: Sample): void {
    const row = this.rowIn(sample);
    if (!row || this.#isReading || this.#clock.now() < this.#due) return;
    this.#isReading = true;
    this.#read(row).catch(this.#events.onError);
  }

  close(): void {
    this.#isOpen = false;
  }

  async #read(row: Row): Promise<void> {
    const began = this.#clock.now();
    const found = await readConnectionSummary(
      row,
      this.#io,
      () => this.#isOpen,
    );
    this.#isReading = false;
    const now = this.#clock.now();
    this.#due = now + (now - began) / READING_SHARE;
    if (!this.#isOpen) return;
    this.#connections = found;
    this.#events.onRead();
  }
}
