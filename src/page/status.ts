import { byId, setAttribute, setText } from "./dom.js";
import { age, clock } from "./format.js";

/** Says whether the figures are current, and if not, why and since when. */
export class Status {
  readonly #banner = byId("banner", HTMLElement);
  readonly #message = byId("banner-message", HTMLElement);
  readonly #age = byId("banner-age", HTMLElement);
  readonly #live = byId("live", HTMLElement);
  #brokenSince: number | undefined;
  #fault: string | undefined;
  /** When the figures were read, by the clock of the server, and when they arrived, by the clock here */
  #readAt: number | undefined;
  #arrivedAt = 0;

  /** Figures have arrived. @param time when they were read */
  fresh(time: number): void {
    this.#readAt = time;
    this.#arrivedAt = Date.now();
    this.#fault = undefined;
    this.show();
  }

  /** @param since undefined: the connection works */
  connection(since: number | undefined): void {
    this.#brokenSince = since;
    this.show();
  }

  /** The server cannot read the table. */
  fault(fault: string): void {
    this.#fault = fault;
    this.show();
  }

  show(): void {
    const from =
      this.#readAt === undefined
        ? "There are no figures yet."
        : `The figures are from ${clock(this.#readAt)}.`;
    const problem =
      this.#brokenSince !== undefined
        ? `Connection lost at ${clock(this.#brokenSince)}. ${from} Trying again…`
        : this.#fault !== undefined
          ? `The table cannot be read: ${this.#fault}. ${from}`
          : undefined;
    setAttribute(this.#banner, "hidden", problem === undefined);
    // The age changes every second. A screen reader reads only the message, and only when it changes.
    setText(this.#message, problem ?? "");
    setText(
      this.#age,
      problem !== undefined && this.#readAt !== undefined
        ? `${age(Date.now() - this.#arrivedAt)} old`
        : "",
    );
    setAttribute(
      this.#live,
      "data-live",
      problem === undefined && this.#readAt !== undefined ? "yes" : "no",
    );
    setText(
      this.#live,
      problem !== undefined
        ? "not live"
        : this.#readAt === undefined
          ? "connecting"
          : `live ${clock(this.#readAt)}`,
    );
  }
}
