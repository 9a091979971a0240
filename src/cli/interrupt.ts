import type { Io } from "../runtime/io.js";
import type { EndingSignal } from "../system/signals.js";

/** Catches the signals that would end the process, so that a change can be rolled back. Ends when it is disposed of. */
export class Interrupt implements Disposable {
  readonly #controller = new AbortController();
  readonly #release: () => void;
  #caught: EndingSignal | undefined;

  constructor(io: Pick<Io, "catchSignals">) {
    this.#release = io.catchSignals((signal) => {
      this.#caught ??= signal;
      this.#controller.abort(signal);
    });
  }

  /** Aborted by the first such signal */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The first signal that was caught */
  get caught(): EndingSignal | undefined {
    return this.#caught;
  }

  [Symbol.dispose](): void {
    this.#release();
  }
}
