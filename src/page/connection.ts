import type { FaultEvent, TableEvent, UpdateEvent } from "./events.js";

/** Learns what the server sends. */
export interface Listener {
  table(event: TableEvent): void;
  update(event: UpdateEvent): void;
  /** The server runs, but cannot read the table */
  fault(event: FaultEvent): void;
  /** The connection broke, or came back. @param since when it broke */
  connected(connected: boolean, since: number): void;
}

const FIRST_RETRY_MILLISECONDS = 500;
const LAST_RETRY_MILLISECONDS = 10_000;
/** The server sends something at least every 10 seconds or every interval. */
const SILENCE_MILLISECONDS = 15_000;

/** Follows the events of the server, and connects again whenever the connection breaks. */
export class Connection {
  readonly #url: string;
  readonly #listener: Listener;
  #source: EventSource | undefined;
  #retry = FIRST_RETRY_MILLISECONDS;
  #timer: number | undefined;
  #heardAt = Date.now();
  #brokenSince: number | undefined;
  #intervalMilliseconds = 2000;

  constructor(url: string, listener: Listener) {
    this.#url = url;
    this.#listener = listener;
    window.addEventListener("online", () => {
      if (this.#brokenSince !== undefined) this.open();
    });
    window.setInterval(() => {
      this.#checkSilence();
    }, 1000);
  }

  /** Connects, now. */
  open(): void {
    window.clearTimeout(this.#timer);
    this.#source?.close();
    const source = new EventSource(this.#url);
    this.#source = source;
    this.#heardAt = Date.now();
    source.addEventListener("table", ({ data }: MessageEvent<string>) => {
      const event = JSON.parse(data) as TableEvent;
      this.#intervalMilliseconds = event.intervalSeconds * 1000;
      this.#heard();
      this.#listener.table(event);
    });
    source.addEventListener("update", ({ data }: MessageEvent<string>) => {
      this.#heard();
      this.#listener.update(JSON.parse(data) as UpdateEvent);
    });
    source.addEventListener("fault", ({ data }: MessageEvent<string>) => {
      this.#heard();
      this.#listener.fault(JSON.parse(data) as FaultEvent);
    });
    source.addEventListener("error", () => {
      this.#broke();
    });
  }

  #heard(): void {
    this.#heardAt = Date.now();
    this.#retry = FIRST_RETRY_MILLISECONDS;
    if (this.#brokenSince === undefined) return;
    this.#brokenSince = undefined;
    this.#listener.connected(true, this.#heardAt);
  }

  #broke(): void {
    this.#source?.close();
    this.#brokenSince ??= Date.now();
    this.#listener.connected(false, this.#brokenSince);
    window.clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => {
      this.open();
    }, this.#retry);
    this.#retry = Math.min(this.#retry * 2, LAST_RETRY_MILLISECONDS);
  }

  /** A machine that is switched off does not close its connections. */
  #checkSilence(): void {
    if (this.#source?.readyState !== EventSource.OPEN) return;
    const longest = SILENCE_MILLISECONDS + 2 * this.#intervalMilliseconds;
    if (Date.now() - this.#heardAt > longest) this.#broke();
  }
}
