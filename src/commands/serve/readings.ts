import type { Io } from "../../runtime/io.js";
import type { DifferenceItem } from "../../cli/changes/difference-items.js";
import type { SnapshotReader } from "../metrics/snapshot-reader.js";
import type { Snapshot } from "../metrics/snapshot.js";
import { readNext, type NextReading } from "../monitor/table-changes.js";
import type { Moment } from "./tracker.js";

/** The table at a moment. */
export interface Reading extends Moment {
  readonly snapshot: Snapshot;
}

/** Learns of each reading. */
export interface ReadingListener {
  /** @param changes what is different from the reading before */
  read(reading: Reading, changes: readonly DifferenceItem[]): void;
  /** The table cannot be read */
  failed(error: unknown, date: Date): void;
}

/** After so many intervals without an attempt, something hangs. */
const HANGING_INTERVALS = 5;
const HANGING_MILLISECONDS = 60_000;

/** Reads the table at an interval, once for all clients. */
export class Readings {
  readonly #reader: SnapshotReader;
  readonly #clock: Io["clock"];
  readonly #milliseconds: number;
  readonly #listener: ReadingListener;
  readonly #stopped = new AbortController();
  #attemptedAt: number;
  #last: Reading | undefined;

  constructor(
    reader: SnapshotReader,
    clock: Io["clock"],
    intervalSeconds: number,
    listener: ReadingListener,
  ) {
    this.#reader = reader;
    this.#clock = clock;
    this.#milliseconds = intervalSeconds * 1000;
    this.#listener = listener;
    this.#attemptedAt = clock.now();
  }

  /** Reads until `stop`. */
  async run(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      const began = this.#clock.now();
      this.#attemptedAt = began;
      await this.#readOnce();
      const left = began + this.#milliseconds - this.#clock.now();
      await this.#clock.sleep(Math.max(left, 0), signal);
    }
  }

  /** Whether the last attempt is recent. */
  isAlive(): boolean {
    const silent = this.#clock.now() - this.#attemptedAt;
    return (
      silent <
      Math.max(HANGING_MILLISECONDS, HANGING_INTERVALS * this.#milliseconds)
    );
  }

  stop(): void {
    this.#stopped.abort();
  }

  async #readOnce(): Promise<void> {
    let next: NextReading<Reading>;
    try {
      next = await this.#next();
    } catch (error) {
      this.#listener.failed(error, new Date());
      return;
    }
    this.#last = next.reading;
    this.#listener.read(next.reading, next.changes);
  }

  async #next(): Promise<NextReading<Reading>> {
    const read = () => this.#read();
    if (this.#last) return readNext(read, stateOf, this.#last);
    const { reading } = await readNext(read, stateOf, await read());
    return { reading, changes: [] };
  }

  async #read(): Promise<Reading> {
    const date = new Date();
    const seconds = this.#clock.now() / 1000;
    return { date, seconds, snapshot: await this.#reader.read() };
  }
}

function stateOf({ snapshot }: Reading) {
  return { services: snapshot.services.map(({ service }) => service) };
}
