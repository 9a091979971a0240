import type { Io } from "../../runtime/io.js";
import type { SnapshotReader } from "../metrics/snapshot-reader.js";
import type { Snapshot } from "../metrics/snapshot.js";

/** The table at a moment. */
export interface Reading {
  readonly date: Date;
  readonly snapshot: Snapshot;
}

/** Learns of each reading. */
export interface ReadingListener {
  read(reading: Reading): void;
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
    const date = new Date();
    let snapshot: Snapshot;
    try {
      snapshot = await this.#reader.read();
    } catch (error) {
      this.#listener.failed(error, date);
      return;
    }
    this.#listener.read({ date, snapshot });
  }
}
