import { KeyDecoder, type Key } from "./key-decoder.js";

/** How long the rest of an escape sequence may take. After that, the ESC was the key Escape. */
const ESCAPE_MILLISECONDS = 100;

/** Turns the bytes of a terminal into keys, also those that only time tells: a single ESC. */
export class KeyReader {
  readonly #decoder = new KeyDecoder();
  readonly #press: (key: Key) => void;
  /** Is called after keys that came by a timeout. */
  readonly #pressedLate: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(press: (key: Key) => void, pressedLate: () => void) {
    this.#press = press;
    this.#pressedLate = pressedLate;
  }

  /** @param bytes one character per byte */
  feed(bytes: string): void {
    this.stop();
    for (const key of this.#decoder.feed(bytes)) this.#press(key);
    if (!this.#decoder.waits) return;
    this.#timer = setTimeout(() => {
      for (const key of this.#decoder.end()) this.#press(key);
      this.#pressedLate();
    }, ESCAPE_MILLISECONDS);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
