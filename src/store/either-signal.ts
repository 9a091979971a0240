/**
 * A signal that is triggered when one of several signals is, until it is disposed of. AbortSignal.any() keeps a little
 * memory for each call as long as its signals live, and those of a daemon live for months.
 */
export class EitherSignal implements Disposable {
  readonly #controller = new AbortController();
  readonly #outer: readonly AbortSignal[];
  readonly #abort = () => {
    this.#controller.abort();
  };

  constructor(outer: readonly AbortSignal[]) {
    this.#outer = outer;
    for (const signal of outer) {
      signal.addEventListener("abort", this.#abort);
      if (signal.aborted) this.#abort();
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Triggers the signal. */
  abort(): void {
    this.#abort();
  }

  /** Stops listening to the outer signals. */
  [Symbol.dispose](): void {
    for (const signal of this.#outer)
      signal.removeEventListener("abort", this.#abort);
  }
}
