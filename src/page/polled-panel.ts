/** Fetches a document again and again while its panel is on the screen. */
export class PolledPanel {
  readonly #element: HTMLElement;
  readonly #url: () => string;
  readonly #show: (document: unknown) => void;
  readonly #fail: (reason: string) => void;
  readonly #milliseconds: number;
  #fetchedAt = -Infinity;
  #busy = false;
  #again = false;

  /** @param show throws nothing */
  constructor(
    element: HTMLElement,
    milliseconds: number,
    url: () => string,
    show: (document: unknown) => void,
    fail: (reason: string) => void,
  ) {
    this.#element = element;
    this.#url = url;
    this.#show = show;
    this.#fail = fail;
    this.#milliseconds = milliseconds;
  }

  /** Fetches if it is time, and somebody looks. */
  tick(): void {
    if (document.hidden || this.#element.offsetParent === null) return;
    if (performance.now() - this.#fetchedAt < this.#milliseconds) return;
    this.refresh();
  }

  /** Fetches now. */
  refresh(): void {
    if (this.#busy) {
      this.#again = true;
      return;
    }
    this.#busy = true;
    this.#fetchedAt = performance.now();
    void this.#fetch().finally(() => {
      this.#busy = false;
      if (!this.#again) return;
      this.#again = false;
      this.refresh();
    });
  }

  async #fetch(): Promise<void> {
    try {
      const response = await fetch(this.#url());
      const answer = (await response.json()) as { error?: string };
      if (response.ok) this.#show(answer);
      else this.#fail(answer.error ?? `status ${response.status}`);
    } catch {
      this.#fail("the server does not answer");
    }
  }
}
