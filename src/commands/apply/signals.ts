import type { Io } from "../../runtime/io.js";
import type { EndingSignal } from "../../system/signals.js";

/** While it lives, a signal that would end the process is told instead: what is under way is to be put back. */
export class Signals implements Disposable {
  readonly #controller = new AbortController();
  readonly #release: () => void;
  #caught: EndingSignal | undefined;

  constructor(io: Pick<Io, "catchSignals">) {
    this.#release = io.catchSignals((signal) => {
      this.#caught ??= signal;
      this.#controller.abort(signal);
    });
  }

  /** Is given when such a signal comes. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The signal that came first. */
  get caught(): EndingSignal | undefined {
    return this.#caught;
  }

  [Symbol.dispose](): void {
    this.#release();
  }
}
